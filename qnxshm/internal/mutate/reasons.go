//go:build linux

package mutate

import "strings"

// Why a mutant survives is of one of these kinds.
const (
	equivalent = "Equivalent"
	notOnHost  = "Not on the host"
	inNoTest   = "In no test"
	noReason   = "Without a reason"
)

// kinds are explained to who reads the report.
var kinds = []struct{ name, means string }{
	{equivalent, "No program can tell such a mutant from the original."},
	{notOnHost, "A target could show the difference; the host, as it is, does not."},
	{inNoTest, "A test could show the difference; none does, and this is why."},
	{noReason, "These are faults: of the suite, or of reasons.go."},
}

// reasons say why mutants survive. A mutant is named by its ID; one that ends in
// "…" stands for all that begin so.
var reasons = []struct {
	kind    string
	reason  string
	mutants []string
}{
	{equivalent, "It is overwritten by libc when the call succeeds, and the caller does not look at it otherwise.", []string{
		"qnxshm_create_handle: 0 → -1 (h =)",
		"qnxshm_create_subrange_handle: 0 → -1 (h =)",
	}},
	{equivalent, "Nobody looks at the value beside an errno, or at that of a call that returns an errno only.", []string{
		"qnxshm_create_subrange_handle: 0 → -1 (initial)",
		"qnxshm_map_handle_pid: MAP_FAILED → …",
		"qnxshm_handle_limit: 0 → -1 (initial)…",
		"qnxshm_set_handle_limit: 0 → -1 (initial)",
		"qnxshm_open_handle_pid: 0 → -1 (initial)",
		"qnxmsg_name_detach: 0 → -1 (initial)",
		"qnxmsg_send_pulse: 0 → -1 (initial)",
	}},
	{equivalent, "A result is a descriptor or 0, which fit, or -1, of which only the errno is looked at; a handle does not come this way.", []string{
		"qnxshm_result_of: uint64_t → uint32_t (cast)",
	}},
	{equivalent, "The condition keeps what libc has not filled in from being read; beside an errno nobody looks at the value.", []string{
		"qnxshm_size: r.error → 0 (condition)",
		"qnxshm_size: r.error → r.value",
	}},
	{equivalent, "The two sides differ for one value, for which both do the same.", []string{
		"qnxshm.cInt: n < math.MinInt32 → n <= math.MinInt32",
		"qnxshm.revokedPID: pid < math.MinInt32 → pid <= math.MinInt32",
		"qnxshm.revokedPID: pid > math.MaxInt32 → pid >= math.MaxInt32",
		"qnxshm.cInt: n > math.MaxInt32 → n >= math.MaxInt32",
		"qnxmsg.cInt: n > math.MaxInt32 → n >= math.MaxInt32",
		"qnxshm.mappable: length > math.MaxInt → length >= math.MaxInt",
		"qnxmsg_result_of: value >= 0 → value > 0",
		"qnxmsg_receive: bytes < sizeof r.pulse → bytes <= sizeof r.pulse",
		"qnxmsg_receive: bytes < sizeof r.pulse → bytes <= sizeof r.pulse #2",
		"qnxmsg_receive: r.info.msglen > (int64_t)bytes → r.info.msglen >= (int64_t)bytes",
		"qnxmsg_receive: r.info.msglen > 0 → r.info.msglen >= 0",
		"qnxmsg_result_of of message_qnx.go: value < 0 → value <= 0",
		"qnxmsg_register_pulse: result < 0 → result <= 0",
		"qnxmsg_client_info: result < 0 → result <= 0",
		"qnxmsg_connect_replace: result < 0 → result <= 0",
		"qnxmsg.msgReceive: timeout > 0 → timeout >= 0",
		"qnxshm_set_handle_limit: cur >= RLIM_INFINITY → cur > RLIM_INFINITY",
		"qnxshm_set_handle_limit: max >= RLIM_INFINITY → max > RLIM_INFINITY",
	}},
	{equivalent, "Nobody looks at what this call returns.", []string{
		"qnxmsg_connect_replace: ConnectDetach_r(others[--n]) → 0 after the call",
		"qnxmsg_connect_replace: ConnectDetach_r(others[--n]) → -1 after the call",
	}},
	{equivalent, "Then a message is copied onto itself, or no bytes are copied.", []string{
		"qnxmsg_receive: && → ||",
		"qnxmsg_receive: to != buf && r.info.msglen > 0 → 1 (condition)",
	}},
	{equivalent, "What is there already is put there again.", []string{
		"qnxmsg.clientSets.add: s.of[chid][scoid] → false (condition)",
	}},
	{equivalent, "The length is that of a page, and fits.", []string{
		"qnxshm_protect: length → (int32_t)length (mprotect)",
		"qnxshm.memoryRevoked: C.size_t(page) → C.size_t(int32(C.size_t(page))) (C.qnxshm_protect)",
	}},
	{equivalent, "The value is an id or a status, and none needs more than 32 bits; Message.Reply refuses other statuses.", []string{
		"qnxmsg_reply: status → (int32_t)status (MsgReply_r)",
		"qnxmsg.msgReply: C.long(status) → C.long(int32(C.long(status))) (C.qnxmsg_reply)",
		"qnxmsg_replyv: status → (int32_t)status (MsgReplyv_r)",
		"qnxmsg.msgReplyv: C.long(status) → C.long(int32(C.long(status))) (C.qnxmsg_replyv)",
	}},
	{equivalent, "The number fits: libc has given it, or the caller has checked it.", []string{
		"qnxshm.objectSize: cInt(fd) → C.int(fd) (cut off)",
		"qnxshm.truncateObject: cInt(fd) → C.int(fd) (cut off)",
		"qnxshm.closeDescriptor: cInt(fd) → C.int(fd) (cut off)",
		"qnxshm.mapMemory: cInt(fd) → C.int(fd) (cut off)",
		"qnxmsg.channelDestroy: cInt(chid) → C.int(chid) (cut off)",
		"qnxmsg.nameAttach: cInt(chid) → C.int(chid) (cut off)",
		"qnxmsg.msgReceive: cInt(chid) → C.int(chid) (cut off)",
		"qnxmsg.msgReceive: cInt(chid) → C.int(chid) (cut off) #2",
		"qnxmsg.connectDetach: cInt(coid) → C.int(coid) (cut off)",
		"qnxmsg.connectDetach: cInt(coid) → C.int(coid) (cut off) #2",
		"qnxmsg.msgSend: cInt(coid) → C.int(coid) (cut off)",
		"qnxmsg.msgSendPulse: cInt(coid) → C.int(coid) (cut off)",
		"qnxmsg.detachClient: cInt(scoid) → C.int(scoid) (cut off)",
		"qnxmsg.msgSendPulse: cInt(priority) → C.int(priority) (cut off)",
		"qnxmsg.msgSendPulse: cInt(code) → C.int(code) (cut off)",
		"qnxmsg.serverInfo: cInt(coid) → C.int(coid) (cut off)",
		"qnxmsg.registerPulse: cInt(priority) → C.int(priority) (cut off)",
		"qnxmsg.registerPulse: cInt(self) → C.int(self) (cut off)",
		"qnxmsg.registerPulse: cInt(coid) → C.int(coid) (cut off)",
		"qnxmsg.registerPulse: cInt(code) → C.int(code) (cut off)",
		"qnxmsg_register_pulse: value → (int32_t)value (SIGEV_PULSE_INT_INIT)",
		"qnxmsg.msgSendv: cInt(coid) → C.int(coid) (cut off)",
	}},
	{equivalent, "libc fills in each field that anybody looks at.", []string{
		"qnxmsg_server_info: 0 → -1 (memset)",
		"qnxmsg_server_info: 0, sizeof s → sizeof s, 0 (memset)",
		"qnxmsg_server_info: sizeof s → 0 (memset)",
		"qnxmsg_server_info: memset(&s, 0, sizeof s) → removed",
		"qnxmsg_client_info: 0 → -1 (memset)",
		"qnxmsg_client_info: memset(&c, 0, sizeof c) → removed",
		"qnxmsg_client_info: sizeof c → NULL (memset)",
	}},
	{equivalent, "A vector has as many pieces as a slice has, and the limit is far below.", []string{
		"qnxmsg_replyv: n → (int32_t)n (MsgReplyv_r)",
		"qnxmsg.msgReplyv: n → C.size_t(int32(n)) (C.qnxmsg_replyv)",
		"qnxmsg_sendv: parts → (int32_t)parts (MsgSendv_r)",
		"qnxmsg_sendv: rparts → (int32_t)rparts (MsgSendv_r)",
		"qnxmsg.msgSendv: sparts → C.size_t(int32(sparts)) (C.qnxmsg_sendv)",
		"qnxmsg.msgSendv: rparts → C.size_t(int32(rparts)) (C.qnxmsg_sendv)",
	}},
	{equivalent, "The Go runtime blocks no faults, and all else is blocked then, too.", []string{
		"qnxmsg_block_signals: SIG_BLOCK → SIG_SETMASK (pthread_sigmask)",
		"qnxshm_block_signals: SIG_BLOCK → SIG_SETMASK (pthread_sigmask)",
	}},
	{equivalent, "The call returns 0 or less, and of 0 both make 0.", []string{
		"qnxmsg_register_pulse: result < 0 → 1 (condition)",
		"qnxmsg_client_info: result < 0 → 1 (condition)",
	}},
	{equivalent, "A piece without bytes is described by no address or by any; pinning nothing does nothing.", []string{
		"qnxmsg.vectorOf: len(p) > 0 → true (condition)",
		"qnxmsg.vectorOf: len(p) > 0 → len(p) >= 0",
	}},
	{equivalent, "A channel that does not ask for the pulses, or was not made, gets none, whatever is noted of it.", []string{
		"qnxmsg.channelCreate: r.error == 0 && flags&ChannelConnectionDeath != 0 → true (condition)",
		"qnxmsg.channelCreate: r.error == 0 → true (in r.error == 0 && flags&ChannelConnectionDeath != 0)",
		"qnxmsg.channelCreate: flags&ChannelConnectionDeath != 0 → true (in r.error == 0 && flags&ChannelConnectionDeath != 0)",
		"qnxmsg.channelCreate: r.error → 0 (if)",
	}},
	{notOnHost, "A slice is as long as int allows only where int has 32 bits, on targets of 7.1.", []string{
		"qnxshm.mappable: syscall.ENOMEM → …",
		"qnxshm.createSubrangeHandle: size > math.MaxInt → false (in size < 0 || size > math.MaxInt)",
		"qnxshm.createSubrangeHandle: size > math.MaxInt → size >= math.MaxInt",
	}},
}

// reasonOf tells why a mutant survives, the kind of that, and by which name the
// mutant has it.
func reasonOf(m *Mutant) (kind, reason, name string) {
	for _, r := range reasons {
		for _, name := range r.mutants {
			begin, all := strings.CutSuffix(name, "…")
			if m.ID == name || all && strings.HasPrefix(m.ID, begin) {
				return r.kind, r.reason, name
			}
		}
	}
	return noReason, "", ""
}
