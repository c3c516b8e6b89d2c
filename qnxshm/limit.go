package qnxshm

// HandleLimit returns how many unused handles this process may have: cur is in
// force, max is as far as [SetHandleLimit] can raise it without privilege. All
// ones is no limit, which is what the host begins with; a target's default is
// not documented. A handle counts for the process that made it, until it is
// opened, mapped, deleted or revoked, or its recipient exits.
//
// Host and target: on the host the limit is this process's own; children do not
// inherit it.
//
// Errors:
//
//	EINVAL  QNX SDP 7.1, which has no such limit
//
// Since QNX OS 8.0.
//
// Implements: int getrlimit(int resource, struct rlimit *rlp), resource RLIMIT_SHM_HANDLES_NP
func HandleLimit() (cur, max uint64, err error) {
	cur, max, err = handleLimit()
	if err != nil {
		return 0, 0, wrap(err, "getrlimit", "RLIMIT_SHM_HANDLES_NP")
	}
	return cur, max, nil
}

// SetHandleLimit sets what [HandleLimit] returns. With the limit reached, making a
// handle fails with EAGAIN; handles made before stay.
//
// Errors:
//
//	EINVAL  cur is above max; or QNX SDP 7.1, which has no such limit
//	EPERM   max is above what it was, and the process has no privilege
//
// Since QNX OS 8.0.
//
// Implements: int setrlimit(int resource, const struct rlimit *rlp), resource RLIMIT_SHM_HANDLES_NP
func SetHandleLimit(cur, max uint64) error {
	if err := setHandleLimit(cur, max); err != nil {
		return wrap(err, "setrlimit", "RLIMIT_SHM_HANDLES_NP, %d, %d", cur, max)
	}
	return nil
}
