"""`/api/v1/now`, `/plays`, `/activity`, `/replay`: what is and was played."""
