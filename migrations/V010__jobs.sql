-- Jobs as they are used: in an order that no clock decides, with the attempts at them.

-- Counts up with every job that is made.
ALTER TABLE jobs ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
UPDATE jobs SET sequence =
  (SELECT count(*) FROM jobs other WHERE (other.created_at, other.job_id) <= (jobs.created_at, jobs.job_id));
CREATE INDEX idx_jobs_sequence ON jobs (sequence);

-- Few are at hand, and most of those that are written have ended: they are in no index but that of their order.
DROP INDEX idx_jobs_status;
CREATE INDEX idx_jobs_at_hand ON jobs (status, sequence) WHERE finished_at IS NULL;

-- How often it was begun.
ALTER TABLE jobs ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1 CHECK (attempt >= 1);
ALTER TABLE jobs ADD COLUMN error_code TEXT;
ALTER TABLE jobs ADD COLUMN cancel_requested_at INTEGER;
