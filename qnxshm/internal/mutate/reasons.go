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
		"qnxmsg.cInt: n < math.MinInt32 → n <= math.MinInt32",
		"qnxshm.revokedPID: pid < math.MinInt32 → pid <= math.MinInt32",
		"qnxshm.revokedPID: pid > math.MaxInt32 → pid >= math.MaxInt32",
		"qnxshm.cInt: n > math.MaxInt32 → n >= math.MaxInt32",
		"qnxmsg.cInt: n > math.MaxInt32 → n >= math.MaxInt32",
		"qnxshm.mappable: length > math.MaxInt → length >= math.MaxInt",
		"qnxmsg.msgError: uint64(errno) > math.MaxInt32 → uint64(errno) >= math.MaxInt32",
		"qnxmsg_result_of: value >= 0 → value > 0",
		"qnxmsg_receive: bytes < sizeof r.pulse → bytes <= sizeof r.pulse",
		"qnxmsg_receive: bytes < sizeof r.pulse → bytes <= sizeof r.pulse #2",
		"qnxmsg_receive: r.info.msglen > (int64_t)bytes → r.info.msglen >= (int64_t)bytes",
		"qnxmsg_receive: r.info.msglen > 0 → r.info.msglen >= 0",
		"qnxmsg_result_of of message_qnx.go: value < 0 → value <= 0",
		"qnxmsg_register_pulse: result < 0 → result <= 0",
		"qnxmsg_server_info: got < 0 → got <= 0",
		"qnxmsg_client_info: result < 0 → result <= 0",
	}},
	{equivalent, "Then a message is copied onto itself, or no bytes are copied.", []string{
		"qnxmsg_receive: && → ||",
		"qnxmsg_receive: to != buf && r.info.msglen > 0 → 1 (condition)",
	}},
	{equivalent, "What is there already is put there again.", []string{
		"qnxmsg.clientSets.add: s.of[chid][scoid] → false (condition)",
	}},
	{equivalent, "0 is refused like the number that did not fit.", []string{
		"qnxshm.revoke: err != nil → false (condition)",
		"qnxshm.revokedPID: syscall.ESRCH → nil (return)",
	}},
	{equivalent, "The length is that of a page, and fits.", []string{
		"qnxshm_protect: length → (int32_t)length (mprotect)",
		"qnxshm.memoryRevoked: C.size_t(page) → C.size_t(int32(C.size_t(page))) (C.qnxshm_protect)",
	}},
	{equivalent, "A timeout of 2⁶⁴-1 ns, which -1 becomes, is for ever, too.", []string{
		"qnxmsg_arm: timeout < 0 → 0 (condition)",
	}},
	{equivalent, "The value is an id or a status, and none needs more than 32 bits; Message.Reply refuses other statuses.", []string{
		"qnxmsg_send: status → (int32_t)status (qnxmsg_result_of)",
		"qnxmsg_reply: status → (int32_t)status (MsgReply_r)",
		"qnxmsg.msgReply: C.long(status) → C.long(int32(C.long(status))) (C.qnxmsg_reply)",
		"qnxmsg_replyv: status → (int32_t)status (MsgReplyv_r)",
		"qnxmsg.msgReplyv: C.long(status) → C.long(int32(C.long(status))) (C.qnxmsg_replyv)",
		"qnxmsg_sendv: status → (int32_t)status (qnxmsg_result_of)",
	}},
	{equivalent, "The number fits: libc has given it, or the caller has checked it.", []string{
		"qnxshm.objectSize: cInt(fd) → C.int(fd) (cut off)",
		"qnxshm.truncateObject: cInt(fd) → C.int(fd) (cut off)",
		"qnxshm.closeDescriptor: cInt(fd) → C.int(fd) (cut off)",
		"qnxshm.mapMemory: cInt(fd) → C.int(fd) (cut off)",
		"qnxmsg.channelDestroy: cInt(chid) → C.int(chid) (cut off)",
		"qnxmsg.nameAttach: cInt(chid) → C.int(chid) (cut off)",
		"qnxmsg.msgReceive: cInt(chid) → C.int(chid) (cut off)",
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
		"qnxmsg.msgSendv: cInt(coid) → C.int(coid) (cut off)",
	}},
	{equivalent, "Each field is filled in before anybody looks at it.", []string{
		"qnxmsg_register_pulse: 0 → -1 (memset)",
		"qnxmsg_register_pulse: 0, sizeof e → sizeof e, 0 (memset)",
		"qnxmsg_register_pulse: sizeof e → 0 (memset)",
		"qnxmsg_register_pulse: memset(&e, 0, sizeof e) → removed",
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
	{notOnHost, "The host's libc refuses it with the same errno.", []string{
		"qnxshm.createSubrangeHandle: size < 0 → size <= 0",
		"qnxshm.mapMemory: offset < 0 → false (condition)",
		"qnxshm.mappable: length <= 0 → length < 0",
		"qnxshm.createSubrangeHandle: size < 0 || size > math.MaxInt || offset < 0 → false (in size < 0 || size > math.MaxInt || offset < 0 || !known(opts))",
		"qnxshm.createSubrangeHandle: size < 0 || size > math.MaxInt → false (in size < 0 || size > math.MaxInt || offset < 0)",
		"qnxshm.createSubrangeHandle: offset < 0 → false (in size < 0 || size > math.MaxInt || offset < 0)",
		"qnxshm.createSubrangeHandle: size < 0 → false (in size < 0 || size > math.MaxInt)",
		"qnxmsg_unblock: MsgInfo_r(rcvid, &info) → 0 after the call",
		"qnxmsg_unblock: r.error == 0 && (info.flags & _NTO_MI_UNBLOCK_REQ) == 0 → 0 (condition)",
		"qnxmsg_unblock: r.error == 0 → r.error != 0",
		"qnxmsg_unblock: _NTO_MI_UNBLOCK_REQ → -1 (if)",
		"qnxmsg_unblock: r.error = EINVAL → removed",
		"qnxmsg_unblock: EINVAL → 0 (error =)",
		"qnxmsg_unblock: r.error → 0 (condition)",
	}},
	{notOnHost, "The host's RLIM_INFINITY is all ones, and nothing lies above it.", []string{
		"qnxshm_handle_limit: l.rlim_cur >= RLIM_INFINITY → …",
		"qnxshm_handle_limit: l.rlim_max >= RLIM_INFINITY → …",
		"qnxshm_handle_limit: l.rlim_max → l.rlim_cur",
		"qnxshm_set_handle_limit: cur >= RLIM_INFINITY → …",
		"qnxshm_set_handle_limit: max >= RLIM_INFINITY → …",
	}},
	{notOnHost, "The host has no physical memory to give, and refuses every address.", []string{
		"qnxshm_control: paddr → (int32_t)paddr (shm_ctl)",
		"qnxshm.control: C.uint64_t(paddr) → C.uint64_t(int32(C.uint64_t(paddr))) (C.qnxshm_control)",
	}},
	{notOnHost, "The host refuses an empty name and NULL with the same errno.", []string{
		"qnxmsg.cString: strings.IndexByte(s, 0) >= 0 → strings.IndexByte(s, 0) > 0",
		"qnxmsg.cString: syscall.EINVAL → nil (return)",
		"qnxmsg.nameAttach: err != nil → false (condition)",
		"qnxmsg.nameOpen: err != nil → false (condition)",
	}},
	{notOnHost, "A slice is as long as int allows only where int has 32 bits, on targets of 7.1.", []string{
		"qnxshm.mappable: syscall.ENOMEM → …",
		"qnxshm.createSubrangeHandle: size > math.MaxInt → false (in size < 0 || size > math.MaxInt)",
		"qnxshm.createSubrangeHandle: size > math.MaxInt → size >= math.MaxInt",
	}},
	{notOnHost, "The host's shm_handle_t has 64 bits, so that every Handle fits.", []string{
		"qnxshm.openHandlePID: !fits(h) → false (condition)",
		"qnxshm.openHandlePID: syscall.ESRCH → …",
		"qnxshm.mapHandle: !fits(h) → false (condition)",
		"qnxshm.mapHandle: syscall.ESRCH → …",
		"qnxshm.mapHandlePID: !fits(h) → false (condition)",
		"qnxshm.mapHandlePID: syscall.ESRCH → …",
	}},
	{notOnHost, "The host's objects without a name have the mode 0644 whatever is asked for, as OpenAnonymous says.", []string{
		"qnxshm_open_anonymous: mode → …",
		"qnxshm.openAnonymous: C.mode_t(perm.Perm()) → …",
	}},
	{notOnHost, "The call does not fail for arguments that an earlier call has returned, and those it has here.", []string{
		"qnxshm_unmap: munmap(addr, length) → 0 after the call",
		"qnxshm.unmapMemory: C.qnxshm_unmap(unsafe.Pointer(unsafe.SliceData(b)), C.size_t(len(b))).error → 0 (return)",
		"qnxshm.unmapMemory: C.qnxshm_unmap(unsafe.Pointer(unsafe.SliceData(b)), C.size_t(len(b))).error → C.…",
		"qnxmsg_channel_destroy: ChannelDestroy_r(chid) → 0 after the call",
		"qnxmsg.channelDestroy: C.qnxmsg_channel_destroy(cInt(chid)).error → 0 (return)",
		"qnxmsg.channelDestroy: C.qnxmsg_channel_destroy(cInt(chid)).error → C.…",
		"qnxmsg_name_detach: name_detach(attach, NAME_FLAG_DETACH_SAVEDPP) == -1 → 0 (condition)",
		"qnxmsg_name_detach: name_detach(attach, NAME_FLAG_DETACH_SAVEDPP) → 0 after the call",
		"qnxmsg_name_detach: r.error == 0 → r.error != 0",
		"qnxmsg_name_detach: r.error = errno → removed…",
		"qnxmsg_name_detach: errno → …",
		"qnxmsg_name_detach: dispatch_destroy(dpp) → 0 after the call",
		"qnxmsg.nameDetach: C.qnxmsg_name_detach(n).error → 0 (return)",
		"qnxmsg.nameDetach: C.qnxmsg_name_detach(n).error → C.…",
		"qnxmsg.connectDetach: d.error → 0 (return)",
		"qnxmsg_connect_detach: ConnectDetach_r(id) → 0 after the call",
		"qnxmsg.detachClient: C.qnxmsg_connect_detach(cInt(scoid)).error → 0 (return)",
		"qnxmsg.detachClient: C.qnxmsg_connect_detach(cInt(scoid)).error → C.…",
		"qnxshm_handle_limit: getrlimit(RLIMIT_SHM_HANDLES_NP, &l) → 0 after the call",
		"qnxshm_handle_limit: r.error = errno → removed",
		"qnxshm_handle_limit: r.error → r.max",
		"qnxshm_handle_limit: errno → …",
		"qnxshm.handleLimit: l.error → 0 (return)",
		"qnxmsg.serverInfo: r.error != 0 → false (condition)",
		"qnxmsg.serverInfo: r.error → 0 (if)",
		"qnxmsg.serverInfo: r.error → 0 (return)",
		"qnxmsg.serverInfo: r.error → -1 (return)",
		"qnxmsg_server_info: got < 0 ? -got : got != coid ? EINVAL : 0 → …",
		"qnxmsg_server_info: s.error = got < 0 ? -got : got != coid ? EINVAL : 0 → removed",
		"qnxmsg_server_info: got < 0 → 0 (condition)",
		"qnxmsg_register_pulse: MsgRegisterEvent_r(&e.event, coid) → 0 after the call",
		"qnxmsg_register_pulse: e.error = result < 0 ? -result : 0 → removed",
		"qnxmsg_register_pulse: result < 0 ? -result : 0 → 0 (error =)",
		"qnxmsg_register_pulse: result < 0 → 0 (condition)",
		"qnxmsg.registerPulse: r.error != 0 → false (condition)",
		"qnxmsg.registerPulse: r.error → 0 (if)",
		"qnxmsg.registerPulse: r.error → 0 (return)",
		"qnxmsg.registerPulse: r.error → -1 (return)",
	}},
	{notOnHost, "The host always describes the connection that was asked for.", []string{
		"qnxmsg_server_info: got != coid → 0 (condition)",
		"qnxmsg_server_info: EINVAL → …",
	}},
	{notOnHost, "For a channel that was just made dispatch_create_channel succeeds.", []string{
		"qnxmsg_name_attach: dpp != NULL → …",
		"qnxmsg_name_attach: chid → 0 (ChannelDestroy)",
		"qnxmsg_name_attach: chid → -1 (ChannelDestroy)",
		"qnxmsg_name_attach: ChannelDestroy(chid) → removed",
	}},
	{notOnHost, "On the host a name goes with its channel, so that name_detach has nothing left to do but to free memory.", []string{
		"qnxmsg_name_detach: name_detach(attach, NAME_FLAG_DETACH_SAVEDPP) → 0 without the call",
		"qnxmsg.nameAttach: n.attach → nil (return)",
	}},
	{notOnHost, "TimerTimeout does not fail for these arguments.", []string{
		"qnxmsg_receive: qnxmsg_arm(timeout, _NTO_TIMEOUT_RECEIVE) → 0 after the call",
		"qnxmsg_receive: r.rcvid >= 0 → 1 (condition)",
		"qnxmsg_receive: r.rcvid → r.error",
		"qnxmsg_receive: r.rcvid → r.error #2",
		"qnxmsg_send: qnxmsg_arm(timeout, _NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY) → 0 after the call",
		"qnxmsg_send: status >= 0 → 1 (condition)",
		"qnxmsg_sendv: qnxmsg_arm(timeout, _NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY) → 0 after the call",
		"qnxmsg_sendv: status >= 0 → 1 (condition)",
		"qnxmsg_arm: TimerTimeout_r(CLOCK_MONOTONIC, states, NULL, timeout == 0 ? NULL : &ns, NULL) → 0 after the call",
	}},
	{notOnHost, "The host has no priorities, and channels of either kind are alike.", []string{
		"qnxmsg.channelCreate: C._NTO_CHF_FIXED_PRIORITY → 0",
		"qnxmsg_register_pulse: priority → 0 (SIGEV_PULSE_INT_INIT)",
		"qnxmsg_register_pulse: priority → -1 (SIGEV_PULSE_INT_INIT)",
		"qnxmsg_register_pulse: priority → 0 (SIGEV_PULSE_INIT)",
		"qnxmsg_register_pulse: priority → -1 (SIGEV_PULSE_INIT)",
		"qnxmsg.registerPulse: cInt(priority) → 0 (C.qnxmsg_register_pulse)",
		"qnxmsg.registerPulse: cInt(priority) → -1 (C.qnxmsg_register_pulse)",
	}},
	{notOnHost, "All connections of the host are side channels, and no program that is started has them.", []string{
		"qnxmsg_connect_attach: _NTO_SIDE_CHANNEL → 0 (ConnectAttach_r)",
		"qnxmsg_connect_attach: _NTO_COF_CLOEXEC → 0 (ConnectAttach_r)",
	}},
	{notOnHost, "In the host's 64 bits beside the int of 7.1 stands the sign of it, and its machines have the low half first.", []string{
		"qnxmsg_pulse_value: sival_int → sival_long",
		"qnxmsg_pulse_value: value.sival_int → value.sival_long",
	}},
	{notOnHost, "What a time of 0 means is not documented; the host takes it as no time.", []string{
		"qnxmsg_arm: timeout == 0 → 0 (condition)",
	}},
	{inNoTest, "No rule says whether a client can be detached that has sent nothing but pulses.", []string{
		"qnxmsg.msgReceive: m.Pulse.Code == PulseDisconnect → true (condition)",
	}},
	{inNoTest, "Built for 7.1, the cases that set a limit read it before, and have failed by then.", []string{
		"qnxshm_set_handle_limit: EINVAL → …",
	}},
	{inNoTest, "The ids of messages that the cases get fit into 32 bits there.", []string{
		"qnxmsg_replyv: rcvid → (int32_t)rcvid (MsgReplyv_r)",
		"qnxmsg_read: rcvid → (int32_t)rcvid (MsgRead_r)",
		"qnxmsg_write: rcvid → (int32_t)rcvid (MsgWrite_r)",
		"qnxmsg_deliver_event: rcvid → (int32_t)rcvid (MsgDeliverEvent_r)",
		"qnxmsg_verify_event: rcvid → (int32_t)rcvid (MsgVerifyEvent_r)",
		"qnxmsg_unblock: rcvid → (int32_t)rcvid (MsgInfo_r)",
		"qnxmsg_unblock: rcvid → (int32_t)rcvid (qnxmsg_error)",
		"qnxmsg.msgReplyv: C.int64_t(rcvid) → C.int64_t(int32(C.int64_t(rcvid))) (C.qnxmsg_replyv)",
		"qnxmsg.msgRead: C.int64_t(rcvid) → C.int64_t(int32(C.int64_t(rcvid))) (C.qnxmsg_read)",
		"qnxmsg.msgWrite: C.int64_t(rcvid) → C.int64_t(int32(C.int64_t(rcvid))) (C.qnxmsg_write)",
		"qnxmsg.deliverEvent: C.int64_t(rcvid) → C.int64_t(int32(C.int64_t(rcvid))) (C.qnxmsg_deliver_event)",
		"qnxmsg.verifyEvent: C.int64_t(rcvid) → C.int64_t(int32(C.int64_t(rcvid))) (C.qnxmsg_verify_event)",
		"qnxmsg.msgUnblock: C.int64_t(rcvid) → C.int64_t(int32(C.int64_t(rcvid))) (C.qnxmsg_unblock)",
	}},
	{inNoTest, "No case has a status at the end of what an int holds, which a server can send in C only.", []string{
		"qnxmsg_result_of: value > INT32_MIN → …",
		"qnxmsg_result_of: EINVAL → …",
	}},
	{inNoTest, "No case looks at the session, as nothing portable tells which it is; and who runs the tests is often in no other group.", []string{
		"qnxmsg.clientInfo: r.info.sid → …",
		"qnxmsg.clientInfo: info.Groups = append(info.Groups, int(group)) → removed",
		"qnxmsg_client_info: sizeof c.info.cred.grouplist / sizeof *c.info.cred.grouplist → 0 (ConnectClientInfo_r)",
	}},
	{inNoTest, "It needs the machine's clock to be set: the time is counted from now.", []string{
		"qnxmsg_arm: CLOCK_MONOTONIC → CLOCK_REALTIME (TimerTimeout_r)",
	}},
	{inNoTest, "The call that follows waits in no other state than those that are set.", []string{
		"qnxmsg_arm: states → -1 (TimerTimeout_r)",
		"qnxmsg_receive: _NTO_TIMEOUT_RECEIVE → -1 (qnxmsg_arm)",
	}},
	{inNoTest, "It shows only when a thread is about to use a connection that another one closes, and a third one makes another at that moment: a test of package qnxmsg tries that, which is no case of the suite.", []string{
		"qnxmsg_connect_replace: …",
		"qnxmsg.connectDetach: d.kept…",
		"qnxmsg.msgReceive: r.error == 0 && r.rcvid == 0 && r.pulse.code == C._PULSE_CODE_COIDDEATH → true (in r.error == 0 && r.rcvid == 0 && r.pulse.code == C._PULSE_CODE_COIDDEATH && placeholders.take(chid, int(C.qnxmsg_pulse_value(r.pulse))))",
		"qnxmsg.msgReceive: r.error == 0 && r.rcvid == 0 → true (in r.error == 0 && r.rcvid == 0 && r.pulse.code == C._PULSE_CODE_COIDDEATH)",
		"qnxmsg.msgReceive: r.pulse.code == C._PULSE_CODE_COIDDEATH → true (in r.error == 0 && r.rcvid == 0 && r.pulse.code == C._PULSE_CODE_COIDDEATH)",
		"qnxmsg.msgReceive: r.error == 0 → true (in r.error == 0 && r.rcvid == 0)",
		"qnxmsg.msgReceive: r.rcvid == 0 → true (in r.error == 0 && r.rcvid == 0)",
		"qnxmsg.msgReceive: r.error → 0",
		"qnxmsg.msgReceive: r.error → r.rcvid",
		"qnxmsg.msgReceive: r.rcvid → 0",
		"qnxmsg.msgReceive: r.rcvid → r.error",
		"qnxmsg.msgReceive: C._PULSE_CODE_COIDDEATH → -1",
		"qnxmsg.msgReceive: timeout > 0 → true (condition)",
		"qnxmsg.msgReceive: timeout > 0 → false (condition)",
		"qnxmsg.msgReceive: timeout > 0 → timeout >= 0",
		"qnxmsg.msgReceive: left = max(0, timeout-time.Since(began)) → removed",
		"qnxmsg.msgReceive: C.size_t(len(buf)) → 0 (C.qnxmsg_receive) #2",
		"qnxmsg.msgReceive: C.size_t(len(buf)) → C.size_t(int32(C.size_t(len(buf)))) (C.qnxmsg_receive) #2",
		"qnxmsg.msgReceive: nanoseconds(left) → 0 (C.qnxmsg_receive)",
		"qnxmsg.msgReceive: nanoseconds(left) → C.int64_t(int32(nanoseconds(left))) (C.qnxmsg_receive)",
		"qnxmsg.msgReceive: C.size_t(len(buf)), nanoseconds(left) → nanoseconds(left), C.size_t(len(buf)) (C.qnxmsg_receive)",
		"qnxmsg.msgReceive: cInt(chid) → C.int(chid) (cut off) #2",
		"qnxmsg.deaths.add: pulses[coid] <= 0 → false (condition)",
		"qnxmsg.deaths.add: pulses[coid] <= 0 → pulses[coid] < 0",
		"qnxmsg.deaths.take: pulses[coid] == 0 → true (condition) #2",
		"qnxmsg.deaths.take: pulses[coid] == 0 → false (condition) #2",
		"qnxmsg.deaths.take: pulses[coid] == 0 → pulses[coid] != 0 #2",
	}},
	{inNoTest, "It needs a message or a reply of 2 GiB, and as much memory several times.", []string{
		"qnxmsg_reply: bytes → (int32_t)bytes (MsgReply_r)",
		"qnxmsg.msgReply: C.size_t(len(data)) → C.size_t(int32(C.size_t(len(data)))) (C.qnxmsg_reply)",
		"qnxmsg_send: bytes → (int32_t)bytes (MsgSend_r)",
		"qnxmsg.msgSend: C.size_t(len(msg)) → C.size_t(int32(C.size_t(len(msg)))) (C.qnxmsg_send)",
		"qnxmsg_read: bytes → (int32_t)bytes (MsgRead_r)",
		"qnxmsg_write: bytes → (int32_t)bytes (MsgWrite_r)",
		"qnxmsg.msgRead: C.size_t(len(p)) → C.size_t(int32(C.size_t(len(p)))) (C.qnxmsg_read)",
		"qnxmsg.msgWrite: C.size_t(len(p)) → C.size_t(int32(C.size_t(len(p)))) (C.qnxmsg_write)",
	}},
	{inNoTest, "Then a set of signals is put back that nobody has filled in: by chance it is that of the call before.", []string{
		"qnxshm_block_signals: &old → NULL (pthread_sigmask)",
	}},
	{inNoTest, "No case registers an event whose value needs more than 32 bits, nor looks at what a build for 7.1 makes of one.", []string{
		"qnxmsg_register_pulse: #if _NTO_VERSION < 800 → #if _NTO_VERSION >= 800",
		"qnxmsg_register_pulse: value != (int32_t)value → 0 (condition)",
		"qnxmsg_register_pulse: e.error = EINVAL → removed",
		"qnxmsg_register_pulse: EINVAL → 0 (error =)",
		"qnxmsg_register_pulse: EINVAL → -1 (error =)",
		"qnxmsg_register_pulse: EINVAL → ENOSYS",
		"qnxmsg_register_pulse: EINVAL → ESRCH",
		"qnxmsg_register_pulse: value → (int32_t)value (SIGEV_PULSE_INT_INIT)",
		"qnxmsg_register_pulse: value → (int32_t)value (SIGEV_PULSE_INIT)",
		"qnxmsg.registerPulse: C.int64_t(value) → C.int64_t(int32(C.int64_t(value))) (C.qnxmsg_register_pulse)",
	}},
	{inNoTest, "Of answers that fail, the cases have those in one piece.", []string{
		"qnxmsg_replyv: MsgReplyv_r(rcvid, status, parts, n) → 0 after the call",
		"qnxmsg.msgReplyv: C.qnxmsg_replyv(C.int64_t(rcvid), C.long(status), iov, n).error → 0 (return)",
		"qnxmsg.msgReplyv: C.qnxmsg_replyv(C.int64_t(rcvid), C.long(status), iov, n).error → C.qnxmsg_replyv(C.int64_t(rcvid), C.long(status), iov, n).value (return)",
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
