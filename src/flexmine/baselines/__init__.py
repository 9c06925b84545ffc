"""What a plan is compared with: always on, threshold, greedy; and the safe power that is held where all else fails."""
