//go:build qnx && cgo

package qnxmsg

/*
#include <stdint.h>
#include <sys/neutrino.h>

// As in msg_qnx.go.

struct qnxmsg_result {
	int64_t value;
	int error; // 0: the call succeeded
};

static inline struct qnxmsg_result qnxmsg_result_of(int64_t value) {
	struct qnxmsg_result r = {value, value < 0 ? (int)-value : 0};
	return r;
}

static inline struct qnxmsg_result qnxmsg_replyv(int64_t rcvid, long status, const iov_t *parts, size_t n) {
	return qnxmsg_result_of(MsgReplyv_r(rcvid, status, parts, n));
}

static inline struct qnxmsg_result qnxmsg_read(int64_t rcvid, void *to, size_t bytes, int64_t offset) {
	return qnxmsg_result_of(MsgRead_r(rcvid, to, bytes, offset));
}

static inline struct qnxmsg_result qnxmsg_write(int64_t rcvid, const void *from, size_t bytes, int64_t offset) {
	return qnxmsg_result_of(MsgWrite_r(rcvid, from, bytes, offset));
}
*/
import "C"

import "runtime"

func msgReplyv(rcvid int64, status int, parts [][]byte) error {
	var pins runtime.Pinner
	defer pins.Unpin()
	iov, n := vectorOf(parts, &pins)
	return errorOf(C.qnxmsg_replyv(C.int64_t(rcvid), C.long(status), iov, n).error)
}

func msgRead(rcvid int64, p []byte, off int64) (n int, err error) {
	r := C.qnxmsg_read(C.int64_t(rcvid), start(p), C.size_t(len(p)), C.int64_t(off))
	return int(r.value), errorOf(r.error)
}

func msgWrite(rcvid int64, p []byte, off int64) (n int, err error) {
	r := C.qnxmsg_write(C.int64_t(rcvid), start(p), C.size_t(len(p)), C.int64_t(off))
	return int(r.value), errorOf(r.error)
}
