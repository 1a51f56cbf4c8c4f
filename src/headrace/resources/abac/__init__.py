"""Rules of teams: what a team may do with the pipelines, projects and clusters that carry some tags."""
