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

// A message that waits for its reply, and what its sender sleeps on: descriptors, or
// -1.
struct qnxhost_sending {
	uintptr_t id;
	int socket, own;
	int nap;      // in milliseconds, when nothing tells of all that is waited for; else 0
	int received; // by the server
};
*/
import "C"

import (
	"runtime/cgo"
	"syscall"
	"unsafe"

	"github.com/go-qnx/shm/qnxshm/internal/message"
)

// slicesOf returns the memory of parts, in the one slice that is there for it if there
// is one part. Of a part without bytes the address may be any.
func slicesOf(parts *C.struct_qnxhost_parts, one *[1][]byte) [][]byte {
	iov := unsafe.Slice(parts.iov, parts.count)
	all := one[:0]
	if len(iov) > 1 {
		all = make([][]byte, 0, len(iov))
	}
	for i := range iov {
		if iov[i].iov_len > 0 {
			base := *(**byte)(unsafe.Pointer(&iov[i])) // first in it, under two names
			all = append(all, unsafe.Slice(base, iov[i].iov_len))
		}
	}
	return all
}

//export qnxhost_go_channel_create
func qnxhost_go_channel_create(flags C.uint, chid *C.int) C.int {
	n, err := message.ChannelCreate(uint32(flags))
	*chid = C.int(n)
	return errnoOf(err)
}

//export qnxhost_go_thread_died
func qnxhost_go_thread_died(tid, priority C.int) { message.TellThreadDeath(int(tid), int(priority)) }

//export qnxhost_go_channel_destroy
func qnxhost_go_channel_destroy(chid C.int) C.int { return errnoOf(message.ChannelDestroy(int(chid))) }

//export qnxhost_go_connect_attach
func qnxhost_go_connect_attach(pid, chid C.int, flags C.uint, coid *C.int) C.int {
	n, err := message.ConnectAttachFlags(int(pid), int(chid), uint32(flags))
	*coid = C.int(n)
	if err == nil {
		message.ServeEvents() // it may send one that is not registered
	}
	return errnoOf(err)
}

//export qnxhost_go_connect_detach
func qnxhost_go_connect_detach(coid C.int) C.int { return errnoOf(message.ConnectDetach(int(coid))) }

//export qnxhost_go_connect_flags
func qnxhost_go_connect_flags(coid C.int, mask, bits C.uint, old *C.uint) C.int {
	flags, err := message.ConnectFlags(int(coid), uint32(mask), uint32(bits))
	*old = C.uint(flags)
	return errnoOf(err)
}

// qnxhost_go_server_info tells about the first connection from a coid on, without info of
// none whose server is gone.
//
//export qnxhost_go_server_info
func qnxhost_go_server_info(coid *C.int, info *C.struct__msg_info64) C.int {
	if info == nil {
		next, err := message.ConnectServerAlive(int(*coid))
		*coid = C.int(next)
		return errnoOf(err)
	}
	s, err := message.ConnectServerInfo(int(*coid))
	*coid = C.int(s.COID)
	*info = C.struct__msg_info64{pid: C.pid_t(s.PID), chid: C.int32_t(s.ChannelID), scoid: C.int32_t(s.SCOID), coid: *coid}
	if s.Dead {
		info.flags = C._NTO_COF_DEAD
	}
	return errnoOf(err)
}

// qnxhost_go_client_info fills in as many groups as there is room for, and tells how
// many that are, or how many there are if there is no room at all.
//
//export qnxhost_go_client_info
func qnxhost_go_client_info(scoid C.int, info *C.struct__client_info, groups *C.gid_t, room C.int) C.int {
	c, err := message.ConnectClientInfo(int(scoid))
	if err == nil {
		*info = C.struct__client_info{pid: C.pid_t(c.PID), sid: C.pid_t(c.SID), cred: C.struct__cred_info{
			ruid: C.uid_t(c.UID[0]), euid: C.uid_t(c.UID[1]), suid: C.uid_t(c.UID[2]),
			rgid: C.gid_t(c.GID[0]), egid: C.gid_t(c.GID[1]), sgid: C.gid_t(c.GID[2]),
		}}
		if room > 0 {
			c.Groups = c.Groups[:min(len(c.Groups), int(room))]
			for i, group := range c.Groups {
				unsafe.Slice(groups, room)[i] = C.gid_t(group)
			}
		}
		info.cred.ngroups = C.uint32_t(len(c.Groups))
	}
	return errnoOf(err)
}

// notYet is what the calls that would have to wait return instead of an errno.
const notYet C.int = -1

// qnxhost_go_send sends a message. While its reply is not there it returns notYet, and
// the caller has a sending to go on with. With tell it is woken, too, when the server
// receives the message.
//
//export qnxhost_go_send
func qnxhost_go_send(coid, thread, priority, tell C.int, msg, reply *C.struct_qnxhost_parts, status *C.long, sending *C.struct_qnxhost_sending) C.int {
	s, err := message.BeginSend(int(coid), int(thread), int64(reply.bytes))
	if err != nil {
		return errnoOf(err)
	}
	s.SetPriority(int(priority))
	if tell != 0 {
		s.TellReceived()
	}
	errno := trySend(&s, msg, reply, status)
	if errno == notYet {
		kept := new(message.Sending)
		*kept = s
		sending.id = C.uintptr_t(cgo.NewHandle(kept))
		toSleep(kept, sending)
	}
	return errno
}

// qnxhost_go_send_try goes on with a sending, which ends unless it returns
// notYet.
//
//export qnxhost_go_send_try
func qnxhost_go_send_try(sending *C.struct_qnxhost_sending, msg, reply *C.struct_qnxhost_parts, status *C.long) C.int {
	h := cgo.Handle(sending.id)
	s := h.Value().(*message.Sending)
	errno := trySend(s, msg, reply, status)
	if errno == notYet {
		toSleep(s, sending)
	} else {
		h.Delete()
	}
	return errno
}

// toSleep tells what the caller sleeps on.
func toSleep(s *message.Sending, sending *C.struct_qnxhost_sending) {
	socket, own, nap := s.Descriptors()
	sending.socket, sending.own, sending.nap, sending.received = C.int(socket), C.int(own), C.int(nap), 0
	if s.Received() {
		sending.received = 1
	}
}

func trySend(s *message.Sending, msg, reply *C.struct_qnxhost_parts, status *C.long) C.int {
	var m, r [1][]byte
	n, done, err := s.Try(slicesOf(msg, &m), slicesOf(reply, &r))
	if !done {
		return notYet
	}
	s.End()
	*status = C.long(n)
	return errnoOf(err)
}

// qnxhost_go_send_give_up tells the server that the caller does not want to wait any
// more, for the errno why. It returns notYet if it has to; else the sending has ended,
// with the reply if that has come.
//
//export qnxhost_go_send_give_up
func qnxhost_go_send_give_up(sending *C.struct_qnxhost_sending, reply *C.struct_qnxhost_parts, status *C.long, why C.int) C.int {
	h := cgo.Handle(sending.id)
	s := h.Value().(*message.Sending)
	if s.Stays(syscall.Errno(why)) {
		return notYet
	}
	var one [1][]byte
	n, err := s.GiveUp(slicesOf(reply, &one), syscall.Errno(why))
	s.End()
	h.Delete()
	*status = C.long(n)
	return errnoOf(err)
}

// qnxhost_go_send_withdraw ends a sending whose message the server has not received. Else
// it returns notYet.
//
//export qnxhost_go_send_withdraw
func qnxhost_go_send_withdraw(sending *C.struct_qnxhost_sending, why C.int) C.int {
	h := cgo.Handle(sending.id)
	s := h.Value().(*message.Sending)
	if !s.Withdraw() {
		return notYet
	}
	s.End()
	h.Delete()
	return why
}

// qnxhost_go_receive receives. While there is nothing it returns notYet, and the caller
// has a receiving to go on with when wait is readable.
//
//export qnxhost_go_receive
func qnxhost_go_receive(chid, pulses C.int, parts *C.struct_qnxhost_parts, rcvid *C.int64_t, info *C.struct__msg_info64, receiving *C.uintptr_t, wait *C.int) C.int {
	r, err := message.BeginReceive(int(chid), pulses != 0)
	if err != nil {
		return errnoOf(err)
	}
	errno := tryReceive(&r, parts, rcvid, info)
	if errno != notYet {
		r.End()
		return errno
	}
	kept := new(message.Receiving)
	*kept = r
	*receiving = C.uintptr_t(cgo.NewHandle(kept))
	*wait = C.int(r.Descriptor())
	return notYet
}

// qnxhost_go_receive_try goes on with a receiving, which ends unless it returns notYet.
//
//export qnxhost_go_receive_try
func qnxhost_go_receive_try(receiving C.uintptr_t, parts *C.struct_qnxhost_parts, rcvid *C.int64_t, info *C.struct__msg_info64) C.int {
	r := cgo.Handle(receiving).Value().(*message.Receiving)
	errno := tryReceive(r, parts, rcvid, info)
	if errno != notYet {
		qnxhost_go_receive_end(receiving)
	}
	return errno
}

func tryReceive(r *message.Receiving, parts *C.struct_qnxhost_parts, rcvid *C.int64_t, info *C.struct__msg_info64) C.int {
	var one [1][]byte
	to := slicesOf(parts, &one)
	got, err := r.Try(to)
	if err == syscall.EAGAIN {
		return notYet
	}
	if err != nil {
		return errnoOf(err)
	}
	*rcvid = C.int64_t(got.RcvID)
	if got.RcvID == 0 {
		return deliverPulse(&got, to)
	}
	fillInfo(info, &got, r.ChannelID())
	return 0
}

// deliverPulse copies a pulse to the program's memory. One for which that has no room is
// lost, as on QNX.
func deliverPulse(got *message.Received, to [][]byte) C.int {
	pulse := C.struct__pulse{code: C.int8_t(got.Code), scoid: C.int32_t(got.SCOID)}
	*(*C.long)(unsafe.Pointer(&pulse.value)) = C.long(got.Value)
	n, err := message.Scatter(to, unsafe.Slice((*byte)(unsafe.Pointer(&pulse)), unsafe.Sizeof(pulse)))
	if err == nil && n < int(unsafe.Sizeof(pulse)) {
		err = syscall.EFAULT
	}
	return errnoOf(err)
}

func fillInfo(info *C.struct__msg_info64, r *message.Received, chid int) {
	*info = C.struct__msg_info64{
		pid: C.pid_t(r.PID), tid: C.int32_t(r.TID), chid: C.int32_t(chid), scoid: C.int32_t(r.SCOID), coid: C.int32_t(r.COID),
		priority: C.int16_t(r.Priority), flags: C._NTO_MI_BITS_64,
		msglen: C.int64_t(r.MsgLen), srcmsglen: C.int64_t(r.SrcMsgLen), dstmsglen: C.int64_t(r.DstMsgLen),
	}
	if r.UnblockRequested {
		info.flags |= C._NTO_MI_UNBLOCK_REQ
	}
}

//export qnxhost_go_receive_end
func qnxhost_go_receive_end(receiving C.uintptr_t) {
	h := cgo.Handle(receiving)
	h.Value().(*message.Receiving).End()
	h.Delete()
}

//export qnxhost_go_reply
func qnxhost_go_reply(rcvid C.int64_t, status C.long, parts *C.struct_qnxhost_parts) C.int {
	var one [1][]byte
	return errnoOf(message.MsgReply(int64(rcvid), int(status), slicesOf(parts, &one)...))
}

//export qnxhost_go_error
func qnxhost_go_error(rcvid C.int64_t, errno C.int) C.int {
	if errno < -1 {
		return C.int(syscall.EINVAL)
	}
	return errnoOf(message.MsgError(int64(rcvid), syscall.Errno(uint32(errno))))
}

//export qnxhost_go_read
func qnxhost_go_read(rcvid C.int64_t, parts *C.struct_qnxhost_parts, offset C.size_t, n *C.long) C.int {
	var one [1][]byte
	got, err := message.MsgRead(int64(rcvid), slicesOf(parts, &one), int64(offset))
	*n = C.long(got)
	return errnoOf(err)
}

//export qnxhost_go_write
func qnxhost_go_write(rcvid C.int64_t, parts *C.struct_qnxhost_parts, offset C.size_t, n *C.long) C.int {
	var one [1][]byte
	written, err := message.MsgWrite(int64(rcvid), slicesOf(parts, &one), int64(offset))
	*n = C.long(written)
	return errnoOf(err)
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
