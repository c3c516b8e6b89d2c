//go:build qnx && !cgo

package qnxmsg

// The target's calls are in libc, which only cgo reaches.
var _ = Building_for_QNX_needs_CGO_ENABLED_1_and_a_C_compiler__see_scripts_qcc_env_sh
