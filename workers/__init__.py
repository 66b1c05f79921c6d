"""When: the relay, the queue, jobs and the documents they make."""
