//go:build qnx && !cgo

package qnxerr

// The target's calls are in libc, which only cgo reaches. The error stands here
// because qnxshm and qnxmsg import this package: nothing that depends on it is
// compiled, so it is the only one.
var _ = Building_for_QNX_needs_CGO_ENABLED_1_and_a_C_compiler__see_scripts_qcc_env_sh
