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
		"qnxmsg_server_pid: r.error → 0 (condition)",
		"qnxmsg_server_pid: r.error → r.value #2",
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
		"qnxmsg_result_of: value < 0 → value <= 0",
		"qnxmsg_receive: bytes < sizeof r.pulse → bytes <= sizeof r.pulse",
		"qnxmsg_receive: bytes < sizeof r.pulse → bytes <= sizeof r.pulse #2",
		"qnxmsg_receive: r.info.msglen > (int64_t)bytes → r.info.msglen >= (int64_t)bytes",
		"qnxmsg_receive: r.info.msglen > 0 → r.info.msglen >= 0",
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
	{equivalent, "Value and errno are both 0 or both not.", []string{
		"qnxshm.memoryRevoked: C.qnxshm_protect(start, C.size_t(page), C.int(access)).error → C.…",
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
	}},
	{equivalent, "The number fits: libc has given it, or the caller has checked it.", []string{
		"qnxshm.objectSize: cInt(fd) → C.int(fd) (cut off)",
		"qnxshm.truncateObject: cInt(fd) → C.int(fd) (cut off)",
		"qnxshm.closeDescriptor: cInt(fd) → C.int(fd) (cut off)",
		"qnxshm.mapMemory: cInt(fd) → C.int(fd) (cut off)",
		"qnxmsg.channelDestroy: cInt(chid) → C.int(chid) (cut off)",
		"qnxmsg.nameAttach: cInt(chid) → C.int(chid) (cut off)",
		"qnxmsg.msgReceive: cInt(chid) → C.int(chid) (cut off)",
		"qnxmsg.serverPID: cInt(coid) → C.int(coid) (cut off)",
		"qnxmsg.connectDetach: cInt(coid) → C.int(coid) (cut off)",
		"qnxmsg.connectDetach: cInt(coid) → C.int(coid) (cut off) #2",
		"qnxmsg.msgSend: cInt(coid) → C.int(coid) (cut off)",
		"qnxmsg.msgSendPulse: cInt(coid) → C.int(coid) (cut off)",
		"qnxmsg.detachClient: cInt(scoid) → C.int(scoid) (cut off)",
		"qnxmsg.msgSendPulse: cInt(priority) → C.int(priority) (cut off)",
		"qnxmsg.msgSendPulse: cInt(code) → C.int(code) (cut off)",
	}},
	{equivalent, "The Go runtime blocks no faults, and all else is blocked then, too.", []string{
		"qnxmsg_block_signals: SIG_BLOCK → SIG_SETMASK (pthread_sigmask)",
	}},
	{notOnHost, "The host's libc refuses it with the same errno.", []string{
		"qnxshm.createSubrangeHandle: size < 0 || offset < 0 || !known(opts) → false (condition)",
		"qnxshm.createSubrangeHandle: size < 0 || offset < 0 → false (in size < 0 || offset < 0 || !known(opts))",
		"qnxshm.createSubrangeHandle: !known(opts) → false (in size < 0 || offset < 0 || !known(opts))",
		"qnxshm.createHandle: !known(opts) → false (condition)",
		"qnxshm.createSubrangeHandle: size < 0 → false (in size < 0 || offset < 0)",
		"qnxshm.createSubrangeHandle: offset < 0 → false (in size < 0 || offset < 0)",
		"qnxshm.createSubrangeHandle: size < 0 → size <= 0",
		"qnxshm.mapMemory: offset < 0 → false (condition)",
		"qnxshm.mappable: length <= 0 → length < 0",
		"qnxmsg.msgSendPulse: priority != int(uint8(priority)) → true (in priority != int(int8(priority)) && priority != int(uint8(priority)))",
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
	}},
	{notOnHost, "The host's shm_handle_t has 64 bits, so that every Handle fits.", []string{
		"qnxshm.fits: uint64(h)>>(8*handleSize%64) == 0 → …",
		"qnxshm.openHandle: !fits(h) → false (condition)",
		"qnxshm.openHandle: syscall.ESRCH → …",
		"qnxshm.openHandlePID: !fits(h) → false (condition)",
		"qnxshm.openHandlePID: syscall.ESRCH → …",
		"qnxshm.mapHandle: !fits(h) → false (condition)",
		"qnxshm.mapHandle: syscall.ESRCH → …",
		"qnxshm.mapHandlePID: !fits(h) → false (condition)",
		"qnxshm.mapHandlePID: syscall.ESRCH → …",
		"qnxshm.deleteHandle: !fits(h) → false (condition)",
		"qnxshm.deleteHandle: syscall.ESRCH → …",
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
		"qnxmsg.serverPID: r.error → 0 (return)",
		"qnxmsg_connect_detach: ConnectDetach_r(id) → 0 after the call",
		"qnxmsg.detachClient: C.qnxmsg_connect_detach(cInt(scoid)).error → 0 (return)",
		"qnxmsg.detachClient: C.qnxmsg_connect_detach(cInt(scoid)).error → C.…",
		"qnxshm_handle_limit: getrlimit(RLIMIT_SHM_HANDLES_NP, &l) → 0 after the call",
		"qnxshm_handle_limit: r.error = errno → removed",
		"qnxshm_handle_limit: r.error → r.max",
		"qnxshm_handle_limit: errno → …",
		"qnxshm.handleLimit: l.error → 0 (return)",
	}},
	{notOnHost, "The host always describes the connection that was asked for.", []string{
		"qnxmsg_server_pid: r.error == 0 && r.value != coid → 0 (condition)",
		"qnxmsg_server_pid: r.error == 0 → r.error != 0",
		"qnxmsg_server_pid: r.error → r.value",
		"qnxmsg_server_pid: r.error = EINVAL → removed",
		"qnxmsg_server_pid: EINVAL → …",
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
		"qnxmsg_arm: TimerTimeout_r(CLOCK_MONOTONIC, states, NULL, &ns, NULL) → 0 after the call",
		"qnxmsg_receive: qnxmsg_arm(timeout, _NTO_TIMEOUT_RECEIVE) → 0 after the call",
		"qnxmsg_receive: r.rcvid >= 0 → 1 (condition)",
		"qnxmsg_receive: r.rcvid → r.error",
		"qnxmsg_receive: r.rcvid → r.error #2",
		"qnxmsg_send: qnxmsg_arm(timeout, _NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY) → 0 after the call",
		"qnxmsg_send: status >= 0 → 1 (condition)",
	}},
	{notOnHost, "The host takes a timeout for one of the states SEND and REPLY for both, as package qnxhost says.", []string{
		"qnxmsg_send: _NTO_TIMEOUT_SEND → _NTO_TIMEOUT_RECEIVE (qnxmsg_arm)",
		"qnxmsg_send: _NTO_TIMEOUT_SEND → _NTO_TIMEOUT_REPLY (qnxmsg_arm)",
		"qnxmsg_send: _NTO_TIMEOUT_SEND → 0 (qnxmsg_arm)",
		"qnxmsg_send: _NTO_TIMEOUT_REPLY → _NTO_TIMEOUT_SEND (qnxmsg_arm)",
		"qnxmsg_send: _NTO_TIMEOUT_REPLY → _NTO_TIMEOUT_RECEIVE (qnxmsg_arm)",
		"qnxmsg_send: _NTO_TIMEOUT_REPLY → 0 (qnxmsg_arm)",
	}},
	{notOnHost, "The host has no priorities, and channels of either kind are alike.", []string{
		"qnxmsg.channelCreate: C._NTO_CHF_FIXED_PRIORITY → 0",
	}},
	{notOnHost, "All connections of the host are side channels, and no program that is started has them.", []string{
		"qnxmsg_connect_attach: _NTO_SIDE_CHANNEL → 0 (ConnectAttach_r)",
		"qnxmsg_connect_attach: _NTO_COF_CLOEXEC → 0 (ConnectAttach_r)",
	}},
	{notOnHost, "In the host's 64 bits beside the int of 7.1 stands the sign of it, and its machines have the low half first.", []string{
		"qnxmsg_pulse_value: sival_int → sival_long",
		"qnxmsg_pulse_value: value.sival_int → value.sival_long",
	}},
	{inNoTest, "No rule says whether a client can be detached that has sent nothing but pulses.", []string{
		"qnxmsg.msgReceive: m.Pulse.Code == PulseDisconnect → true (condition)",
	}},
	{inNoTest, "Built for 7.1, the cases that set a limit read it before, and have failed by then.", []string{
		"qnxshm_set_handle_limit: EINVAL → …",
	}},
	{inNoTest, "It needs the machine's clock to be set: the time is counted from now.", []string{
		"qnxmsg_arm: CLOCK_MONOTONIC → CLOCK_REALTIME (TimerTimeout_r)",
	}},
	{inNoTest, "The call that follows waits in no other state than those that are set.", []string{
		"qnxmsg_arm: states → -1 (TimerTimeout_r)",
		"qnxmsg_receive: _NTO_TIMEOUT_RECEIVE → -1 (qnxmsg_arm)",
		"qnxmsg_send: _NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY → -1 (qnxmsg_arm)",
		"qnxmsg_send: _NTO_TIMEOUT_SEND → -1 (qnxmsg_arm)",
		"qnxmsg_send: _NTO_TIMEOUT_REPLY → -1 (qnxmsg_arm)",
	}},
	{inNoTest, "It shows only when a thread is about to use a connection that another one closes, and a third one makes another at that moment: a test of package qnxmsg tries that, which is no case of the suite.", []string{
		"qnxmsg_connect_replace: …",
		"qnxmsg.connectDetach: d.kept…",
	}},
	{inNoTest, "It needs a message or a reply of 2 GiB, and as much memory several times.", []string{
		"qnxmsg_reply: bytes → (int32_t)bytes (MsgReply_r)",
		"qnxmsg.msgReply: C.size_t(len(data)) → C.size_t(int32(C.size_t(len(data)))) (C.qnxmsg_reply)",
		"qnxmsg_send: bytes → (int32_t)bytes (MsgSend_r)",
		"qnxmsg.msgSend: C.size_t(len(msg)) → C.size_t(int32(C.size_t(len(msg)))) (C.qnxmsg_send)",
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
