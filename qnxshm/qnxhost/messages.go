//go:build linux && cgo

package qnxhost

/*
#cgo CFLAGS: -I${SRCDIR}/include
#include <stdint.h>
#include <sys/neutrino.h>

// The parts of a message, and how many bytes they have in all.
struct qnxhost_parts {
	const iov_t *iov;
	size_t count;
	size_t bytes;
};
*/
import "C"

import (
	"runtime/cgo"
	"runtime/debug"
	"syscall"
	"time"
	"unsafe"

	"github.com/go-qnx/shm/qnxshm/internal/message"
	"github.com/go-qnx/shm/qnxshm/internal/qnxerr"
)

// bytesOf returns the memory of parts as one slice: the only part itself, or
// room for a copy of them all.
func bytesOf(parts *C.struct_qnxhost_parts) []byte {
	iov := unsafe.Slice(parts.iov, parts.count)
	switch len(iov) {
	case 0:
		return nil
	case 1:
		return unsafe.Slice((*byte)(iov[0].iov_base), iov[0].iov_len)
	}
	return make([]byte, parts.bytes)
}

// gather returns the content of parts.
func gather(parts *C.struct_qnxhost_parts) (b []byte, err error) {
	b = bytesOf(parts)
	if parts.count > 1 {
		to := b
		defer faultIsError(&err)()
		for _, part := range unsafe.Slice(parts.iov, parts.count) {
			to = to[copy(to, unsafe.Slice((*byte)(part.iov_base), part.iov_len)):]
		}
	}
	return b, nil
}

// scatter copies b, which bytesOf has made, to parts.
func scatter(parts *C.struct_qnxhost_parts, b []byte) (err error) {
	if parts.count > 1 {
		defer faultIsError(&err)()
		for _, part := range unsafe.Slice(parts.iov, parts.count) {
			b = b[copy(unsafe.Slice((*byte)(part.iov_base), part.iov_len), b):]
		}
	}
	return nil
}

// faultIsError is for copying from and to memory that a caller has named. What
// it returns is to be deferred.
func faultIsError(err *error) func() {
	before := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(before)
		if r := recover(); r != nil {
			if _, ok := r.(interface{ Addr() uintptr }); !ok {
				panic(r)
			}
			*err = syscall.EFAULT
		}
	}
}

// asServer is what err means in a call of the server's.
func asServer(err error) error {
	if err == syscall.EFAULT {
		return qnxerr.ESRVRFAULT
	}
	return err
}

//export qnxhost_go_channel_create
func qnxhost_go_channel_create(flags C.uint, chid *C.int) C.int {
	n, err := message.ChannelCreate(uint32(flags))
	*chid = C.int(n)
	return errnoOf(err)
}

//export qnxhost_go_channel_destroy
func qnxhost_go_channel_destroy(chid C.int) C.int { return errnoOf(message.ChannelDestroy(int(chid))) }

//export qnxhost_go_connect_attach
func qnxhost_go_connect_attach(pid, chid C.int, coid *C.int) C.int {
	n, err := message.ConnectAttach(int(pid), int(chid))
	*coid = C.int(n)
	return errnoOf(err)
}

//export qnxhost_go_connect_detach
func qnxhost_go_connect_detach(coid C.int) C.int { return errnoOf(message.ConnectDetach(int(coid))) }

//export qnxhost_go_server_info
func qnxhost_go_server_info(coid C.int, info *C.struct__msg_info64) C.int {
	s, err := message.ConnectServerInfo(int(coid))
	if err == nil {
		*info = C.struct__msg_info64{pid: C.pid_t(s.PID), chid: C.int32_t(s.ChannelID), scoid: C.int32_t(s.SCOID), coid: C.int32_t(coid)}
	}
	return errnoOf(err)
}

//export qnxhost_go_client_info
func qnxhost_go_client_info(scoid C.int, info *C.struct__client_info) C.int {
	c, err := message.ConnectClientInfo(int(scoid))
	if err == nil {
		uid, gid := C.uid_t(c.UID), C.gid_t(c.GID)
		*info = C.struct__client_info{pid: C.pid_t(c.PID), cred: C.struct__cred_info{
			ruid: uid, euid: uid, suid: uid, rgid: gid, egid: gid, sgid: gid,
		}}
	}
	return errnoOf(err)
}

// notYet is what the calls that would have to wait return instead of an errno.
const notYet C.int = -1

// The process manager must not wait on a C thread: no signal would end that.
var noWait = time.Unix(0, 0)

// qnxhost_go_send_begin sends a message. While its reply is not there it returns
// notYet, and the caller has a sending to go on with when wait is readable. It
// returns notYet without a sending while there is no room for the message.
//
//export qnxhost_go_send_begin
func qnxhost_go_send_begin(coid C.int, msg, reply *C.struct_qnxhost_parts, status *C.long, sending *C.uintptr_t, wait *C.int) C.int {
	data, err := gather(msg)
	if err != nil {
		return errnoOf(err)
	}
	s, err := message.BeginSend(int(coid), data, int(reply.bytes), noWait)
	if err == syscall.ETIMEDOUT {
		return notYet
	}
	if err != nil {
		return errnoOf(err)
	}
	errno := trySend(s, reply, status)
	if errno == notYet {
		*sending = C.uintptr_t(cgo.NewHandle(s))
		*wait = C.int(s.Descriptor())
	}
	return errno
}

// qnxhost_go_send_try goes on with a sending, which ends unless it returns
// notYet.
//
//export qnxhost_go_send_try
func qnxhost_go_send_try(sending C.uintptr_t, reply *C.struct_qnxhost_parts, status *C.long) C.int {
	h := cgo.Handle(sending)
	errno := trySend(h.Value().(message.Sending), reply, status)
	if errno != notYet {
		h.Delete()
	}
	return errno
}

func trySend(s message.Sending, reply *C.struct_qnxhost_parts, status *C.long) C.int {
	buf, err := gather(reply) // what the reply does not fill keeps its content
	if err != nil {
		s.End()
		return errnoOf(err)
	}
	n, done, err := s.Try(buf)
	if !done {
		return notYet
	}
	s.End()
	*status = C.long(n)
	if err == nil {
		err = scatter(reply, buf)
	}
	return errnoOf(err)
}

// qnxhost_go_send_stays tells the server that the caller does not want to wait
// any more. It returns 1 if it has to, else the sending has ended.
//
//export qnxhost_go_send_stays
func qnxhost_go_send_stays(sending C.uintptr_t) C.int {
	h := cgo.Handle(sending)
	s := h.Value().(message.Sending)
	if s.Stays() {
		return 1
	}
	s.End()
	h.Delete()
	return 0
}

//export qnxhost_go_receive_begin
func qnxhost_go_receive_begin(chid, pulses C.int, receiving *C.uintptr_t, wait *C.int) C.int {
	r, err := message.BeginReceive(int(chid), pulses != 0)
	if err != nil {
		return errnoOf(err)
	}
	*receiving = C.uintptr_t(cgo.NewHandle(&r))
	*wait = C.int(r.Descriptor())
	return 0
}

// qnxhost_go_receive_try returns notYet while there is nothing to receive.
//
//export qnxhost_go_receive_try
func qnxhost_go_receive_try(receiving C.uintptr_t, parts *C.struct_qnxhost_parts, rcvid *C.int64_t, info *C.struct__msg_info64, pulse *C.struct__pulse) C.int {
	r := cgo.Handle(receiving).Value().(*message.Receiving)
	buf := bytesOf(parts)
	got, err := r.Try(buf, true)
	if err == syscall.EAGAIN {
		return notYet
	}
	if err != nil {
		return errnoOf(err)
	}
	*rcvid = C.int64_t(got.RcvID)
	if got.RcvID == 0 {
		*pulse = C.struct__pulse{code: C.int8_t(got.Code), scoid: C.int32_t(got.SCOID)}
		*(*C.long)(unsafe.Pointer(&pulse.value)) = C.long(got.Value)
		return 0
	}
	if err := scatter(parts, buf[:got.MsgLen]); err != nil {
		message.MsgError(got.RcvID, qnxerr.ESRVRFAULT)
		return errnoOf(err)
	}
	fillInfo(info, &got, r.ChannelID())
	return 0
}

func fillInfo(info *C.struct__msg_info64, r *message.Received, chid int) {
	*info = C.struct__msg_info64{
		pid: C.pid_t(r.PID), tid: 1, chid: C.int32_t(chid), scoid: C.int32_t(r.SCOID), coid: C.int32_t(r.COID),
		priority: defaultPriority, flags: C._NTO_MI_BITS_64,
		msglen: C.int64_t(r.MsgLen), srcmsglen: C.int64_t(r.SrcMsgLen), dstmsglen: C.int64_t(r.DstMsgLen),
	}
	if r.UnblockRequested {
		info.flags |= C._NTO_MI_UNBLOCK_REQ
	}
}

// The host has no priorities; this is what a thread of QNX has by default.
const defaultPriority = 10

//export qnxhost_go_receive_end
func qnxhost_go_receive_end(receiving C.uintptr_t) {
	h := cgo.Handle(receiving)
	h.Value().(*message.Receiving).End()
	h.Delete()
}

//export qnxhost_go_reply
func qnxhost_go_reply(rcvid C.int64_t, status C.long, parts *C.struct_qnxhost_parts) C.int {
	data, err := gather(parts)
	if err == nil {
		err = message.MsgReply(int64(rcvid), int(status), data)
	}
	return errnoOf(asServer(err))
}

//export qnxhost_go_error
func qnxhost_go_error(rcvid C.int64_t, errno C.int) C.int {
	if errno < 0 {
		return C.int(syscall.EINVAL)
	}
	return errnoOf(message.MsgError(int64(rcvid), syscall.Errno(errno)))
}

//export qnxhost_go_read
func qnxhost_go_read(rcvid C.int64_t, parts *C.struct_qnxhost_parts, offset C.size_t, n *C.long) C.int {
	buf := bytesOf(parts)
	got, err := message.MsgRead(int64(rcvid), buf, int64(offset))
	if err == nil {
		err = scatter(parts, buf[:got])
	}
	*n = C.long(got)
	return errnoOf(asServer(err))
}

// write is MsgWrite of data that may not be there.
func write(rcvid int64, data []byte, offset int64) (n int, err error) {
	defer faultIsError(&err)()
	return message.MsgWrite(rcvid, data, offset)
}

//export qnxhost_go_write
func qnxhost_go_write(rcvid C.int64_t, parts *C.struct_qnxhost_parts, offset C.size_t, n *C.long) C.int {
	written := 0
	data, err := gather(parts)
	if err == nil {
		written, err = write(int64(rcvid), data, int64(offset))
	}
	*n = C.long(written)
	return errnoOf(asServer(err))
}

//export qnxhost_go_info
func qnxhost_go_info(rcvid C.int64_t, info *C.struct__msg_info64) C.int {
	r, chid, err := message.MsgInfo(int64(rcvid))
	if err == nil {
		fillInfo(info, &r, chid)
	}
	return errnoOf(err)
}

//export qnxhost_go_send_pulse
func qnxhost_go_send_pulse(coid, priority, code C.int, value C.long) C.int {
	return errnoOf(message.MsgSendPulse(int(coid), int(priority), int(code), int64(value)))
}
