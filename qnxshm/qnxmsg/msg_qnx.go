//go:build qnx && cgo

package qnxmsg

/*
#cgo linux CFLAGS: -I${SRCDIR}/../qnxhost/include

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/dispatch.h>
#include <sys/neutrino.h>
#include <time.h>

_Static_assert(offsetof(iov_t, iov_base) == 0, "vectorOf writes the address there");
#if !defined _NTO_VERSION && (!defined __QNX__ || __QNX__ < 800)
#error "cannot tell the release of QNX: <sys/neutrino.h> defines no _NTO_VERSION; give it, such as CGO_CFLAGS=-D_NTO_VERSION=710"
#elif !defined _NTO_VERSION
#define _NTO_VERSION 800
#endif

// Each function makes one call, with the timeout that goes with it, and returns
// result and errno by value, so that nothing of the Go side escapes to the heap.

struct qnxmsg_result {
	int64_t value;
	int error; // 0: the call succeeded
};

// The result of a call that returns a negative errno. A server may send any number.
static inline struct qnxmsg_result qnxmsg_result_of(int64_t value) {
	struct qnxmsg_result r = {value, value >= 0 ? 0 : value > INT32_MIN ? (int)-value : EINVAL};
	return r;
}

// The Go runtime signals its threads at any time, to preempt them or to take a
// profile. A call that waits, or is a message to a server, must not end for that: a
// MsgSend that returns EINTR may have been executed, and cannot be repeated. Faults
// stay unblocked.
static inline void qnxmsg_block_signals(sigset_t *old) {
	sigset_t set;
	sigfillset(&set);
	sigdelset(&set, SIGSEGV);
	sigdelset(&set, SIGBUS);
	sigdelset(&set, SIGFPE);
	sigdelset(&set, SIGILL);
	sigdelset(&set, SIGTRAP);
	sigdelset(&set, SIGABRT);
	pthread_sigmask(SIG_BLOCK, &set, old);
}

static inline void qnxmsg_restore_signals(const sigset_t *old) {
	pthread_sigmask(SIG_SETMASK, old, NULL);
}

// Arms a timeout in nanoseconds for the next call, if it is not negative. That no
// time means not to block is documented; what a time of 0 means is not.
static inline int qnxmsg_arm(int64_t timeout, unsigned states) {
	uint64_t ns = (uint64_t)timeout;
	return timeout < 0 ? 0 : TimerTimeout_r(CLOCK_MONOTONIC, states, NULL, timeout == 0 ? NULL : &ns, NULL);
}

static inline struct qnxmsg_result qnxmsg_channel_create(unsigned flags) {
	return qnxmsg_result_of(ChannelCreate_r(flags));
}

static inline struct qnxmsg_result qnxmsg_channel_destroy(int chid) {
	return qnxmsg_result_of(ChannelDestroy_r(chid));
}

struct qnxmsg_name {
	name_attach_t *attach;
	int error;
};

static inline struct qnxmsg_name qnxmsg_name_attach(int chid, const void *name) {
	struct qnxmsg_name n = {NULL, 0};
	dispatch_t *dpp;
	sigset_t old;
	qnxmsg_block_signals(&old);
	dpp = dispatch_create_channel(chid, 0);
	if (dpp != NULL)
		n.attach = name_attach(dpp, name, 0);
	if (n.attach == NULL) {
		n.error = errno;
		if (dpp != NULL)
			dispatch_destroy(dpp); // and the channel with it
		else
			ChannelDestroy(chid);
	}
	qnxmsg_restore_signals(&old);
	return n;
}

static inline struct qnxmsg_result qnxmsg_name_detach(name_attach_t *attach) {
	dispatch_t *dpp = attach->dpp;
	struct qnxmsg_result r = {0, 0};
	sigset_t old;
	qnxmsg_block_signals(&old);
	if (name_detach(attach, NAME_FLAG_DETACH_SAVEDPP) == -1)
		r.error = errno;
	if (dispatch_destroy(dpp) == -1 && r.error == 0)
		r.error = errno;
	qnxmsg_restore_signals(&old);
	return r;
}

static inline struct qnxmsg_result qnxmsg_name_open(const void *name) {
	struct qnxmsg_result r = {0, 0};
	sigset_t old;
	qnxmsg_block_signals(&old);
	r.value = name_open(name, 0);
	if (r.value == -1)
		r.error = errno;
	qnxmsg_restore_signals(&old);
	return r;
}

struct qnxmsg_received {
	int64_t rcvid;
	int error;
	struct _msg_info info;
	struct _pulse pulse;
};

// A buffer too small for a pulse is stood in for by one that is not.
static inline struct qnxmsg_received qnxmsg_receive(int chid, void *buf, size_t bytes, int64_t timeout) {
	struct qnxmsg_received r;
	sigset_t old;
	void *to = bytes < sizeof r.pulse ? (void *)&r.pulse : buf;
	memset(&r, 0, sizeof r);
	qnxmsg_block_signals(&old);
	r.rcvid = qnxmsg_arm(timeout, _NTO_TIMEOUT_RECEIVE);
	if (r.rcvid >= 0)
		r.rcvid = MsgReceive_r(chid, to, bytes < sizeof r.pulse ? sizeof r.pulse : bytes, &r.info);
	qnxmsg_restore_signals(&old);
	if (r.rcvid < 0) {
		r.error = (int)-r.rcvid;
	} else if (r.rcvid == 0) {
		if (to == buf)
			memcpy(&r.pulse, buf, sizeof r.pulse);
	} else {
		if (r.info.msglen > (int64_t)bytes)
			r.info.msglen = bytes;
		if (to != buf && r.info.msglen > 0)
			memcpy(buf, to, r.info.msglen);
	}
	return r;
}

static inline int64_t qnxmsg_pulse_value(struct _pulse p) {
#if _NTO_VERSION >= 800
	return p.value.sival_long;
#else
	return p.value.sival_int;
#endif
}

static inline struct qnxmsg_result qnxmsg_reply(int64_t rcvid, long status, const void *data, size_t bytes) {
	return qnxmsg_result_of(MsgReply_r(rcvid, status, data, bytes));
}

static inline struct qnxmsg_result qnxmsg_error(int64_t rcvid, int error) {
	return qnxmsg_result_of(MsgError_r(rcvid, error));
}

// -1 is for clients that do not want to wait any more; others would get garbage.
static inline struct qnxmsg_result qnxmsg_unblock(int64_t rcvid) {
	struct _msg_info info;
	struct qnxmsg_result r = qnxmsg_result_of(MsgInfo_r(rcvid, &info));
	if (r.error == 0 && (info.flags & _NTO_MI_UNBLOCK_REQ) == 0)
		r.error = EINVAL;
	return r.error ? r : qnxmsg_error(rcvid, -1);
}

static inline struct qnxmsg_result qnxmsg_connect_attach(pid_t pid, int chid) {
	return qnxmsg_result_of(ConnectAttach_r(0, pid, chid, _NTO_SIDE_CHANNEL, _NTO_COF_CLOEXEC));
}

static inline struct qnxmsg_result qnxmsg_connect_detach(int id) {
	return qnxmsg_result_of(ConnectDetach_r(id));
}

// Detaches a connection whose id others may be about to use, and gives the id to one
// that leads nowhere: that of a channel which is gone. kept tells whether there is one,
// to be detached when the others have come back.
struct qnxmsg_detached {
	int error, kept;
};

static inline struct qnxmsg_detached qnxmsg_connect_replace(int coid) {
	struct qnxmsg_detached d = {0, 0};
	int chid = ChannelCreate_r(_NTO_CHF_FIXED_PRIORITY | _NTO_CHF_PRIVATE), result = ConnectDetach_r(coid);
	int others[64], n = 0;
	if (result < 0)
		d.error = -result;
	// A side channel gets the lowest id that is free, whatever is asked for.
	while (result >= 0 && chid >= 0 && n < (int)(sizeof others / sizeof *others)) {
		int got = ConnectAttach_r(0, 0, chid, coid, _NTO_COF_CLOEXEC);
		d.kept = got == coid;
		if (got < 0 || d.kept)
			break;
		others[n++] = got;
		if (got > coid) // somebody was faster
			break;
	}
	while (n > 0)
		ConnectDetach_r(others[--n]);
	if (chid >= 0)
		ChannelDestroy_r(chid);
	return d;
}

static inline struct qnxmsg_result qnxmsg_send(int coid, const void *msg, size_t bytes, void *reply, size_t room, int64_t timeout) {
	sigset_t old;
	int64_t status;
	qnxmsg_block_signals(&old);
	status = qnxmsg_arm(timeout, _NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY);
	if (status >= 0)
		status = MsgSend_r(coid, msg, bytes, reply, room);
	qnxmsg_restore_signals(&old);
	return qnxmsg_result_of(status);
}

static inline struct qnxmsg_result qnxmsg_sendv(int coid, const iov_t *msg, size_t parts, const iov_t *reply, size_t rparts, int64_t timeout) {
	sigset_t old;
	int64_t status;
	qnxmsg_block_signals(&old);
	status = qnxmsg_arm(timeout, _NTO_TIMEOUT_SEND | _NTO_TIMEOUT_REPLY);
	if (status >= 0)
		status = MsgSendv_r(coid, msg, parts, reply, rparts);
	qnxmsg_restore_signals(&old);
	return qnxmsg_result_of(status);
}

static inline struct qnxmsg_result qnxmsg_send_pulse(int coid, int priority, int code, int64_t value) {
#if _NTO_VERSION < 800
	if (value != (int32_t)value) {
		struct qnxmsg_result r = {0, EINVAL};
		return r;
	}
#endif
	return qnxmsg_result_of(MsgSendPulse_r(coid, priority, code, value));
}
*/
import "C"

import (
	"math"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/go-qnx/shm/qnxshm/internal/nto"
)

// The target backend: each call goes to QNX's libc. msg_stub.go is its twin for
// the host; the docs stand in the portable files.

type attachedName = C.name_attach_t

// cInt makes a C int of n. One that does not fit becomes -1, which is no id and
// no process: libc answers accordingly.
func cInt(n int) C.int {
	if n < math.MinInt32 || n > math.MaxInt32 {
		return -1
	}
	return C.int(n)
}

// errorOf is the error of a call, nil if it succeeded.
func errorOf(errno C.int) error {
	if errno == 0 {
		return nil
	}
	return syscall.Errno(errno)
}

func start[T any](b []T) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }

// A piece is an iov_t, whose address some headers have in a union.
type piece struct {
	base   unsafe.Pointer
	length C.size_t
}

// Any other layout of an iov_t does not compile.
var _ = [1]struct{}{}[(unsafe.Sizeof(piece{})^C.sizeof_iov_t)|(unsafe.Offsetof(piece{}.length)^unsafe.Offsetof(C.iov_t{}.iov_len))]

// vectorOf describes pieces of memory to C, pinned: C may only follow pointers of Go's
// memory to what is.
func vectorOf(parts [][]byte, pins *runtime.Pinner) (iov *C.iov_t, n C.size_t) {
	pieces := make([]piece, len(parts))
	for i, p := range parts {
		if len(p) > 0 {
			pins.Pin(unsafe.SliceData(p))
			pieces[i] = piece{start(p), C.size_t(len(p))}
		}
	}
	return (*C.iov_t)(start(pieces)), C.size_t(len(pieces))
}

// The codes of pulses are the header's: any other index does not compile.
var _ = [1]struct{}{}[(PulseUnblock^C._PULSE_CODE_UNBLOCK)|(PulseDisconnect^C._PULSE_CODE_DISCONNECT)|(PulseConnectionDeath^C._PULSE_CODE_COIDDEATH)|
	(nto.PulseMinAvail^C._PULSE_CODE_MINAVAIL)|(nto.PulseMaxAvail^C._PULSE_CODE_MAXAVAIL)]

func channelCreate(flags ChannelFlags) (chid int, err error) {
	f := C.unsigned(C._NTO_CHF_FIXED_PRIORITY)
	if flags&ChannelUnblock != 0 {
		f |= C._NTO_CHF_UNBLOCK
	}
	if flags&ChannelDisconnect != 0 {
		f |= C._NTO_CHF_DISCONNECT
	}
	if flags&ChannelConnectionDeath != 0 {
		f |= C._NTO_CHF_COID_DISCONNECT
	}
	if flags&ChannelPrivate != 0 {
		f |= C._NTO_CHF_PRIVATE
	}
	numbers.RLock()
	defer numbers.RUnlock()
	r := C.qnxmsg_channel_create(f)
	if r.error == 0 && flags&ChannelConnectionDeath != 0 {
		placeholders.listen(int(r.value))
	}
	return int(r.value), errorOf(r.error)
}

// holdNumbers keeps ids that are given up from being given to others, until release is
// called.
func holdNumbers() (release func()) {
	numbers.Lock()
	return numbers.Unlock
}

func channelDestroy(chid int) error {
	clients.forget(chid)
	placeholders.forget(chid)
	return errorOf(C.qnxmsg_channel_destroy(cInt(chid)).error)
}

// cString makes a C string in Go memory, good for one call.
func cString(s string) (unsafe.Pointer, error) {
	if strings.IndexByte(s, 0) >= 0 {
		return nil, syscall.EINVAL
	}
	return start(append([]byte(s), 0)), nil
}

func nameAttach(name string, chid int) (*attachedName, error) {
	s, err := cString(name)
	if err != nil {
		channelDestroy(chid)
		return nil, err
	}
	n := C.qnxmsg_name_attach(cInt(chid), s)
	return n.attach, errorOf(n.error)
}

func nameDetach(n *attachedName, chid int) error {
	clients.forget(chid)
	return errorOf(C.qnxmsg_name_detach(n).error)
}

// nanoseconds is timeout for C; -1 waits for ever.
func nanoseconds(timeout time.Duration) C.int64_t { return C.int64_t(max(timeout, -1)) }

func msgReceive(chid int, buf []byte, timeout time.Duration, m *Message) (n int, err error) {
	began := time.Now()
	r := C.qnxmsg_receive(cInt(chid), start(buf), C.size_t(len(buf)), nanoseconds(timeout))
	for r.rcvid == 0 && r.pulse.code == C._PULSE_CODE_COIDDEATH && placeholders.take(chid, int(C.qnxmsg_pulse_value(r.pulse))) {
		left := timeout
		if timeout > 0 {
			left = max(0, timeout-time.Since(began))
		}
		r = C.qnxmsg_receive(cInt(chid), start(buf), C.size_t(len(buf)), nanoseconds(left))
	}
	if r.error != 0 {
		return 0, errorOf(r.error)
	}
	m.rcvid = int64(r.rcvid)
	if r.rcvid == 0 {
		m.Pulse = Pulse{Code: int(r.pulse.code), Value: int64(C.qnxmsg_pulse_value(r.pulse)), SCOID: int(r.pulse.scoid)}
		if m.Pulse.Code == PulseDisconnect {
			clients.add(chid, m.Pulse.SCOID)
		}
		return 0, nil
	}
	m.Info = Info{
		PID: int(r.info.pid), TID: int(r.info.tid), ChannelID: int(r.info.chid), SCOID: int(r.info.scoid), COID: int(r.info.coid),
		Priority: int(r.info.priority),
		MsgLen:   int64(r.info.msglen), SrcMsgLen: int64(r.info.srcmsglen), DstMsgLen: int64(r.info.dstmsglen),
	}
	clients.add(chid, m.Info.SCOID)
	return int(r.info.msglen), nil
}

func msgReply(rcvid int64, status int, data []byte) error {
	return errorOf(C.qnxmsg_reply(C.int64_t(rcvid), C.long(status), start(data), C.size_t(len(data))).error)
}

func msgError(rcvid int64, errno syscall.Errno) error {
	if uint64(errno) > math.MaxInt32 {
		return syscall.EINVAL
	}
	return errorOf(C.qnxmsg_error(C.int64_t(rcvid), C.int(errno)).error)
}

func msgRestart(rcvid int64) error { return msgError(rcvid, C.ERESTART) }

func msgUnblock(rcvid int64) error { return errorOf(C.qnxmsg_unblock(C.int64_t(rcvid)).error) }

func detachClient(chid, scoid int) error {
	if !clients.take(chid, scoid) {
		return syscall.EINVAL
	}
	return errorOf(C.qnxmsg_connect_detach(cInt(scoid)).error)
}

func connectAttach(pid, chid int) (coid int, err error) {
	numbers.RLock()
	defer numbers.RUnlock()
	r := C.qnxmsg_connect_attach(C.pid_t(cInt(pid)), cInt(chid))
	return int(r.value), errorOf(r.error)
}

func nameOpen(name string) (coid int, err error) {
	s, err := cString(name)
	if err != nil {
		return 0, err
	}
	r := C.qnxmsg_name_open(s)
	return int(r.value), errorOf(r.error)
}

// numbers is held for writing while an id is given up that others may be about to use,
// and for reading by who makes one. name_open makes one without: it waits for the
// server's answer, and a server that does not answer must not hold up every Close. So
// it could be given the id in the instant between the two calls of
// qnxmsg_connect_replace.
var numbers sync.RWMutex

// connectDetach wakes those who use the connection. forget is to be called when the
// last one has come back: until then nobody gets the id.
func connectDetach(coid int) (forget func(), err error) {
	numbers.Lock()
	defer numbers.Unlock()
	placeholders.add(coid, 1)
	d := C.qnxmsg_connect_replace(cInt(coid))
	if d.kept == 0 {
		placeholders.add(coid, -1)
	}
	return func() {
		if d.kept != 0 {
			C.qnxmsg_connect_detach(cInt(coid))
		}
	}, errorOf(d.error)
}

func msgSend(coid int, msg, reply []byte, timeout time.Duration) (status int, err error) {
	r := C.qnxmsg_send(cInt(coid), start(msg), C.size_t(len(msg)), start(reply), C.size_t(len(reply)), nanoseconds(timeout))
	return int(r.value), errorOf(r.error)
}

func msgSendv(coid int, msg, reply [][]byte, timeout time.Duration) (status int, err error) {
	var pins runtime.Pinner
	defer pins.Unpin()
	siov, sparts := vectorOf(msg, &pins)
	riov, rparts := vectorOf(reply, &pins)
	r := C.qnxmsg_sendv(cInt(coid), siov, sparts, riov, rparts, nanoseconds(timeout))
	return int(r.value), errorOf(r.error)
}

func msgSendPulse(coid, priority, code int, value int64) error {
	return errorOf(C.qnxmsg_send_pulse(cInt(coid), cInt(priority), cInt(code), C.int64_t(value)).error)
}
