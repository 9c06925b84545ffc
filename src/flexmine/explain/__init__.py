"""Why a plan is as it is: reasons, checks in words, what one more MW is worth."""
