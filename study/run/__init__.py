"""Running a study: order, workers, progress, cost."""
