/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Native messages: channels, connections, messages, pulses. */
#ifndef QNXHOST_SYS_NEUTRINO_H
#define QNXHOST_SYS_NEUTRINO_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <fcntl.h>
#include <limits.h>
#include <qnxhost/clocks.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/netmgr.h>
#include <sys/siginfo.h>
#include <sys/states.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* What libqnxhost has for a message's id, in every release. */
typedef int64_t qnxhost_rcvid_t;
#if _NTO_VERSION >= 800
typedef int64_t rcvid_t;
#define __RCVID_T_SIZE 8
#endif

typedef struct iovec iov_t;

QNXHOST_SIZE(iov_t, 16);
QNXHOST_AT(iov_t, iov_base, 0);
QNXHOST_AT(iov_t, iov_len, 8);

#define SETIOV(iov, addr, len) \
	((iov)->iov_base = (void *)(addr), (iov)->iov_len = (size_t)(len))
#define SETIOV_CONST(iov, addr, len) \
	((iov)->iov_base = (void *)(uintptr_t)(addr), (iov)->iov_len = (size_t)(len))
#define GETIOVBASE(iov) ((iov)->iov_base)
#define GETIOVLEN(iov) ((iov)->iov_len)

struct _pulse {
	uint16_t type;
	uint16_t subtype;
	int8_t code;
	uint8_t zero[3];
	union sigval value;
	int32_t scoid;
};

QNXHOST_SIZE(struct _pulse, 24);
QNXHOST_AT(struct _pulse, type, 0);
QNXHOST_AT(struct _pulse, subtype, 2);
QNXHOST_AT(struct _pulse, code, 4);
QNXHOST_AT(struct _pulse, zero, 5);
QNXHOST_AT(struct _pulse, value, 8);
QNXHOST_AT(struct _pulse, scoid, 16);

#define _PULSE_TYPE 0
#define _PULSE_SUBTYPE 0
#define _PULSE_CODE_UNBLOCK (-32)         /* value: rcvid */
#define _PULSE_CODE_DISCONNECT (-33)      /* see scoid */
#define _PULSE_CODE_THREADDEATH (-34)     /* value: tid */
#define _PULSE_CODE_COIDDEATH (-35)       /* value: coid */
#define _PULSE_CODE_NET_ACK (-36)
#define _PULSE_CODE_NET_UNBLOCK (-37)
#define _PULSE_CODE_NET_DETACH (-38)
#define _PULSE_CODE_RESTART (-39)
#define _PULSE_CODE_NORESTART (-40)
#define _PULSE_CODE_UNBLOCK_RESTART (-41) /* value: rcvid */
#define _PULSE_CODE_UNBLOCK_TIMER (-42)   /* value: rcvid */
#if _NTO_VERSION >= 800
#define _PULSE_CODE_PIPE_INPUT (-43)
#define _PULSE_CODE_PIPE_OUTPUT (-44)
#endif
#define _PULSE_CODE_MINAVAIL 0
#define _PULSE_CODE_MAXAVAIL 127

struct _msg_info64 {
	uint32_t nd;
	uint32_t srcnd;
	pid_t pid;
	int32_t tid;
	int32_t chid;
	int32_t scoid;
	int32_t coid;
	int16_t priority;
	int16_t flags;
	int64_t msglen;
	int64_t srcmsglen;
	int64_t dstmsglen;
	uint32_t type_id;
	uint32_t reserved;
};
#define _msg_info _msg_info64
#define _server_info64 _msg_info64
#define _server_info _msg_info64

QNXHOST_SIZE(struct _msg_info64, 64);
QNXHOST_AT(struct _msg_info64, nd, 0);
QNXHOST_AT(struct _msg_info64, srcnd, 4);
QNXHOST_AT(struct _msg_info64, pid, 8);
QNXHOST_AT(struct _msg_info64, tid, 12);
QNXHOST_AT(struct _msg_info64, chid, 16);
QNXHOST_AT(struct _msg_info64, scoid, 20);
QNXHOST_AT(struct _msg_info64, coid, 24);
QNXHOST_AT(struct _msg_info64, priority, 28);
QNXHOST_AT(struct _msg_info64, flags, 30);
QNXHOST_AT(struct _msg_info64, msglen, 32);
QNXHOST_AT(struct _msg_info64, srcmsglen, 40);
QNXHOST_AT(struct _msg_info64, dstmsglen, 48);
QNXHOST_AT(struct _msg_info64, type_id, 56);
QNXHOST_AT(struct _msg_info64, reserved, 60);

#define _NTO_MI_UNBLOCK_REQ 0x100U
#define _NTO_MI_CHROOT 0x800U
#define _NTO_MI_BITS_64 0x1000U
#define _NTO_MI_BITS_DIFF 0x2000U

struct _cred_info {
	uid_t ruid;
	uid_t euid;
	uid_t suid;
	gid_t rgid;
	gid_t egid;
	gid_t sgid;
	uint32_t ngroups;
	gid_t grouplist[8];
};

struct _client_info {
	uint32_t nd;
	pid_t pid;
	pid_t sid;
	uint32_t flags;
	struct _cred_info cred;
};

QNXHOST_SIZE(struct _cred_info, 60);
QNXHOST_AT(struct _cred_info, ruid, 0);
QNXHOST_AT(struct _cred_info, sgid, 20);
QNXHOST_AT(struct _cred_info, ngroups, 24);
QNXHOST_AT(struct _cred_info, grouplist, 28);
QNXHOST_SIZE(struct _client_info, 76);
QNXHOST_AT(struct _client_info, pid, 4);
QNXHOST_AT(struct _client_info, sid, 8);
QNXHOST_AT(struct _client_info, flags, 12);
QNXHOST_AT(struct _client_info, cred, 16);

/* What ConnectClientInfoExt tells besides; a type identifier follows the groups. */
#define _NTO_CLIENTINFO_GETGROUPS 1
#define _NTO_CLIENTINFO_GETTYPEID 2

struct nto_channel_config {
	struct sigevent event;
	unsigned num_pulses;
	unsigned rearm_threshold;
	unsigned options;
	unsigned reserved[3];
};

QNXHOST_SIZE(struct nto_channel_config, 56);

#define _NTO_CHF_FIXED_PRIORITY 0x1U
#define _NTO_CHF_UNBLOCK 0x2U
#define _NTO_CHF_THREAD_DEATH 0x4U
#define _NTO_CHF_DISCONNECT 0x8U
#define _NTO_CHF_NET_MSG 0x10U
#define _NTO_CHF_SENDER_LEN 0x20U
#define _NTO_CHF_COID_DISCONNECT 0x40U
#define _NTO_CHF_REPLY_LEN 0x80U
#define _NTO_CHF_PULSE_POOL 0x100U
#if _NTO_VERSION < 800
#define _NTO_CHF_ASYNC_NONBLOCK 0x200U
#define _NTO_CHF_ASYNC 0x400U
#endif
#define _NTO_CHF_GLOBAL 0x800U
#define _NTO_CHF_PRIVATE 0x1000U
#define _NTO_CHF_MSG_PAUSING 0x2000U
#define _NTO_CHF_INHERIT_RUNMASK 0x4000U
#define _NTO_CHF_UNBLOCK_TIMER 0x8000U

#define _NTO_COF_CLOEXEC 0x1U
#define _NTO_COF_DEAD 0x2U
#define _NTO_COF_NOSHARE 0x40U
#define _NTO_COF_NOEVENT 0x800U
#define _NTO_COF_REG_EVENTS 0x2000U
#if _NTO_VERSION >= 800
#define _NTO_COF_NOINHERIT 0x4U
#define _NTO_COF_LOCAL 0x8U
#define _NTO_COF_ALLOWED 0x80U
#define _NTO_COF_PIPE 0x400U
#define _NTO_COF_DUP2 0x8000U
#endif

#define _NTO_SIDE_CHANNEL 0x40000000U
#define _NTO_CONNECTION_SCOID 0x10000U

#define SYSMGR_PID 1
#define SYSMGR_CHID 1
#define SYSMGR_COID ((int)_NTO_SIDE_CHANNEL)

#define _NTO_TIMEOUT_SEND (1U << STATE_SEND)
#define _NTO_TIMEOUT_RECEIVE (1U << STATE_RECEIVE)
#define _NTO_TIMEOUT_REPLY (1U << STATE_REPLY)
#define _NTO_TIMEOUT_SIGSUSPEND (1U << STATE_SIGSUSPEND)
#define _NTO_TIMEOUT_SIGWAITINFO (1U << STATE_SIGWAITINFO)
#define _NTO_TIMEOUT_NANOSLEEP (1U << STATE_NANOSLEEP)
#define _NTO_TIMEOUT_MUTEX (1U << STATE_MUTEX)
#define _NTO_TIMEOUT_CONDVAR (1U << STATE_CONDVAR)
#define _NTO_TIMEOUT_JOIN (1U << STATE_JOIN)
#define _NTO_TIMEOUT_INTR (1U << STATE_INTR)
#define _NTO_TIMEOUT_SEM (1U << STATE_SEM)

/* A function whose name ends in _r returns the negative errno where the other
   returns -1 and sets errno; nc means that the call is no cancellation point. */

QNXHOST_BEGIN

int ChannelCreate(unsigned flags);
int ChannelCreate_r(unsigned flags);
int ChannelCreatePulsePool(unsigned flags, const struct nto_channel_config *config);
int ChannelDestroy(int chid);
int ChannelDestroy_r(int chid);

int ConnectAttach(uint32_t nd, pid_t pid, int chid, unsigned index, int flags);
int ConnectAttach_r(uint32_t nd, pid_t pid, int chid, unsigned index, int flags);
int ConnectDetach(int coid);
int ConnectDetach_r(int coid);
int ConnectFlags(pid_t pid, int coid, unsigned mask, unsigned bits);
int ConnectFlags_r(pid_t pid, int coid, unsigned mask, unsigned bits);
int ConnectClientInfo(int scoid, struct _client_info *info, int ngroups);
int ConnectClientInfo_r(int scoid, struct _client_info *info, int ngroups);
int ConnectClientInfoExt(int scoid, struct _client_info **info, int flags); /* for ClientInfoExtFree */
int ClientInfoExtFree(struct _client_info **info);
int ConnectServerInfo(pid_t pid, int coid, struct _server_info *info);
int ConnectServerInfo_r(pid_t pid, int coid, struct _server_info *info);

long MsgSend(int coid, const void *smsg, size_t sbytes, void *rmsg, size_t rbytes);
long MsgSend_r(int coid, const void *smsg, size_t sbytes, void *rmsg, size_t rbytes);
long MsgSendnc(int coid, const void *smsg, size_t sbytes, void *rmsg, size_t rbytes);
long MsgSendnc_r(int coid, const void *smsg, size_t sbytes, void *rmsg, size_t rbytes);
long MsgSendsv(int coid, const void *smsg, size_t sbytes, const iov_t *riov, size_t rparts);
long MsgSendsv_r(int coid, const void *smsg, size_t sbytes, const iov_t *riov, size_t rparts);
long MsgSendsvnc(int coid, const void *smsg, size_t sbytes, const iov_t *riov, size_t rparts);
long MsgSendsvnc_r(int coid, const void *smsg, size_t sbytes, const iov_t *riov, size_t rparts);
long MsgSendvs(int coid, const iov_t *siov, size_t sparts, void *rmsg, size_t rbytes);
long MsgSendvs_r(int coid, const iov_t *siov, size_t sparts, void *rmsg, size_t rbytes);
long MsgSendvsnc(int coid, const iov_t *siov, size_t sparts, void *rmsg, size_t rbytes);
long MsgSendvsnc_r(int coid, const iov_t *siov, size_t sparts, void *rmsg, size_t rbytes);
long MsgSendv(int coid, const iov_t *siov, size_t sparts, const iov_t *riov, size_t rparts);
long MsgSendv_r(int coid, const iov_t *siov, size_t sparts, const iov_t *riov, size_t rparts);
long MsgSendvnc(int coid, const iov_t *siov, size_t sparts, const iov_t *riov, size_t rparts);
long MsgSendvnc_r(int coid, const iov_t *siov, size_t sparts, const iov_t *riov, size_t rparts);

qnxhost_rcvid_t MsgReceive(int chid, void *msg, size_t bytes, struct _msg_info *info);
qnxhost_rcvid_t MsgReceive_r(int chid, void *msg, size_t bytes, struct _msg_info *info);
qnxhost_rcvid_t MsgReceivev(int chid, const iov_t *riov, size_t rparts, struct _msg_info *info);
qnxhost_rcvid_t MsgReceivev_r(int chid, const iov_t *riov, size_t rparts, struct _msg_info *info);
int MsgReceivePulse(int chid, void *pulse, size_t bytes, struct _msg_info *info);
int MsgReceivePulse_r(int chid, void *pulse, size_t bytes, struct _msg_info *info);
int MsgReceivePulsev(int chid, const iov_t *piov, size_t parts, struct _msg_info *info);
int MsgReceivePulsev_r(int chid, const iov_t *piov, size_t parts, struct _msg_info *info);

int MsgReply(qnxhost_rcvid_t rcvid, long status, const void *msg, size_t bytes);
int MsgReply_r(qnxhost_rcvid_t rcvid, long status, const void *msg, size_t bytes);
int MsgReplyv(qnxhost_rcvid_t rcvid, long status, const iov_t *riov, size_t rparts);
int MsgReplyv_r(qnxhost_rcvid_t rcvid, long status, const iov_t *riov, size_t rparts);
int MsgError(qnxhost_rcvid_t rcvid, int error);
int MsgError_r(qnxhost_rcvid_t rcvid, int error);

ssize_t MsgRead(qnxhost_rcvid_t rcvid, void *msg, size_t bytes, size_t offset);
ssize_t MsgRead_r(qnxhost_rcvid_t rcvid, void *msg, size_t bytes, size_t offset);
ssize_t MsgReadv(qnxhost_rcvid_t rcvid, const iov_t *riov, size_t rparts, size_t offset);
ssize_t MsgReadv_r(qnxhost_rcvid_t rcvid, const iov_t *riov, size_t rparts, size_t offset);
ssize_t MsgWrite(qnxhost_rcvid_t rcvid, const void *msg, size_t bytes, size_t offset);
ssize_t MsgWrite_r(qnxhost_rcvid_t rcvid, const void *msg, size_t bytes, size_t offset);
ssize_t MsgWritev(qnxhost_rcvid_t rcvid, const iov_t *iov, size_t parts, size_t offset);
ssize_t MsgWritev_r(qnxhost_rcvid_t rcvid, const iov_t *iov, size_t parts, size_t offset);
int MsgInfo(qnxhost_rcvid_t rcvid, struct _msg_info *info);
int MsgInfo_r(qnxhost_rcvid_t rcvid, struct _msg_info *info);

int MsgSendPulse(int coid, int priority, int code, long value);
int MsgSendPulse_r(int coid, int priority, int code, long value);
int MsgSendPulsePtr(int coid, int priority, int code, void *value);
int MsgSendPulsePtr_r(int coid, int priority, int code, void *value);

int MsgDeliverEvent(qnxhost_rcvid_t rcvid, const struct sigevent *event);
int MsgDeliverEvent_r(qnxhost_rcvid_t rcvid, const struct sigevent *event);
int MsgVerifyEvent(qnxhost_rcvid_t rcvid, const struct sigevent *event);
int MsgVerifyEvent_r(qnxhost_rcvid_t rcvid, const struct sigevent *event);
int MsgRegisterEvent(struct sigevent *event, int coid);
int MsgRegisterEvent_r(struct sigevent *event, int coid);
int MsgUnregisterEvent(const struct sigevent *event);
int MsgUnregisterEvent_r(const struct sigevent *event);

#if _NTO_VERSION >= 800
int TimerTimeout(clockid_t id, unsigned flags, const struct sigevent *notify, const uint64_t *ntime, uint64_t *otime);
int TimerTimeout_r(clockid_t id, unsigned flags, const struct sigevent *notify, const uint64_t *ntime, uint64_t *otime);
#else
int TimerTimeout(clockid_t id, int flags, const struct sigevent *notify, const uint64_t *ntime, uint64_t *otime);
int TimerTimeout_r(clockid_t id, int flags, const struct sigevent *notify, const uint64_t *ntime, uint64_t *otime);
#endif

#if _NTO_VERSION < 800
/* What is an int in 7.1 has 64 bits in the library. */
static __inline__ int qnxhost_71_MsgReceive(int chid, void *msg, size_t bytes, struct _msg_info *info)
{
	return (int)MsgReceive(chid, msg, bytes, info);
}
static __inline__ int qnxhost_71_MsgReceive_r(int chid, void *msg, size_t bytes, struct _msg_info *info)
{
	return (int)MsgReceive_r(chid, msg, bytes, info);
}
static __inline__ int qnxhost_71_MsgReceivev(int chid, const iov_t *riov, size_t rparts, struct _msg_info *info)
{
	return (int)MsgReceivev(chid, riov, rparts, info);
}
static __inline__ int qnxhost_71_MsgReceivev_r(int chid, const iov_t *riov, size_t rparts, struct _msg_info *info)
{
	return (int)MsgReceivev_r(chid, riov, rparts, info);
}
static __inline__ int qnxhost_71_MsgSendPulse(int coid, int priority, int code, int value)
{
	return MsgSendPulse(coid, priority, code, value);
}
static __inline__ int qnxhost_71_MsgSendPulse_r(int coid, int priority, int code, int value)
{
	return MsgSendPulse_r(coid, priority, code, value);
}
#define MsgReceive qnxhost_71_MsgReceive
#define MsgReceive_r qnxhost_71_MsgReceive_r
#define MsgReceivev qnxhost_71_MsgReceivev
#define MsgReceivev_r qnxhost_71_MsgReceivev_r
#define MsgSendPulse qnxhost_71_MsgSendPulse
#define MsgSendPulse_r qnxhost_71_MsgSendPulse_r
#endif

QNXHOST_END

#endif
