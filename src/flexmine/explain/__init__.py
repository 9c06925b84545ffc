"""Why a plan is what it is: reasons, checks in words, what one more MW is worth."""
