/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Names of servers, and loops that hand what they receive to functions. */
#ifndef QNXHOST_SYS_DISPATCH_H
#define QNXHOST_SYS_DISPATCH_H

#include <qnxhost/base.h>
#pragma GCC system_header

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/iomsg.h>
#include <sys/neutrino.h>
#include <sys/resmgr.h>
#include <time.h>
#include <unistd.h>

typedef struct _name_attach {
	dispatch_t *dpp;
	int chid;
	int mntid;
	int zero[2];
} name_attach_t;

QNXHOST_SIZE(name_attach_t, 24);
QNXHOST_AT(name_attach_t, dpp, 0);
QNXHOST_AT(name_attach_t, chid, 8);
QNXHOST_AT(name_attach_t, mntid, 12);
QNXHOST_AT(name_attach_t, zero, 16);

#define NAME_FLAG_DETACH_SAVEDPP 1
#define NAME_FLAG_ATTACH_GLOBAL 2

typedef struct _resmgr_context message_context_t;

typedef struct _message_attr {
	unsigned flags;
	unsigned nparts_max;
	size_t msg_max_size;
	unsigned reserved[5];
} message_attr_t;

#define MSG_FLAG_TYPE_PULSE 0x1
#define MSG_FLAG_ALLOC_PULSE 0x2
#define MSG_FLAG_DEFAULT_FUNC 0x100
#define MSG_FLAG_SIDE_CHANNEL 0x200
#define MSG_FLAG_CROSS_ENDIAN 0x400

typedef struct _select_context {
#if _NTO_VERSION >= 800
	rcvid_t rcvid;
#else
	int rcvid;
#endif
	union {
		struct _msg_info msginfo;
		siginfo_t siginfo;
	} info;
	resmgr_iomsgs_t *msg;
	void *dpp;
	int fd;
	unsigned tid;
	unsigned reserved;
	int flags;
	int reserved2[2];
	iov_t iov[1];
} select_context_t;

typedef struct _select_attr {
	unsigned flags;
	unsigned reserved[3];
} select_attr_t;

#define SELECT_FLAG_READ _NOTIFY_COND_INPUT
#define SELECT_FLAG_WRITE _NOTIFY_COND_OUTPUT
#define SELECT_FLAG_EXCEPT _NOTIFY_COND_OBAND
#define SELECT_FLAG_REARM 0x1
#define SELECT_FLAG_SRVEXCEPT 0x2
#define SELECT_FLAG_NOREARM 0x4

typedef union _dispatch_context {
	resmgr_context_t resmgr_context;
	message_context_t message_context;
	select_context_t select_context;
} dispatch_context_t;

#define DISPATCH_FLAG_NOLOCK 0x1

#ifndef THREAD_POOL_PARAM_T
#define THREAD_POOL_PARAM_T void
#endif
#ifndef THREAD_POOL_HANDLE_T
#define THREAD_POOL_HANDLE_T dispatch_t
#endif

#define POOL_FLAG_EXIT_SELF 0x1
#define POOL_FLAG_USE_SELF 0x2
#define POOL_FLAG_CALL_BLOCK_ERRF 0x40
#define POOL_FLAG_CALL_HANDLE_ERRF 0x80

/* What has failed, for error_func. */
#define POOL_ERROR_BLOCK 0x1U
#define POOL_ERROR_HANDLER 0x2U
#define POOL_ERROR_CONTEXT 0x4U

typedef struct _thread_pool thread_pool_t;

typedef struct _thread_pool_attr {
	THREAD_POOL_HANDLE_T *handle;
	THREAD_POOL_PARAM_T *(*block_func)(THREAD_POOL_PARAM_T *ctp);
	void (*unblock_func)(THREAD_POOL_PARAM_T *ctp);
	int (*handler_func)(THREAD_POOL_PARAM_T *ctp);
	THREAD_POOL_PARAM_T *(*context_alloc)(THREAD_POOL_HANDLE_T *handle);
	void (*context_free)(THREAD_POOL_PARAM_T *ctp);
	pthread_attr_t *attr;
	unsigned short lo_water;
	unsigned short increment;
	unsigned short hi_water;
	unsigned short maximum;
	const char *tid_name;
	void (*error_func)(unsigned flags, int error);
	unsigned reserved[5];
} thread_pool_attr_t;

#define THREAD_POOL_CONTROL_HIWATER 0x1
#define THREAD_POOL_CONTROL_LOWATER 0x2
#define THREAD_POOL_CONTROL_MAXIMUM 0x4
#define THREAD_POOL_CONTROL_INCREMENT 0x8
#define THREAD_POOL_CONTROL_NONBLOCK 0x4000

QNXHOST_BEGIN

dispatch_t *dispatch_create(void);
dispatch_t *dispatch_create_channel(int chid, unsigned flags);
int dispatch_destroy(dispatch_t *dpp);
dispatch_context_t *dispatch_context_alloc(dispatch_t *dpp);
void dispatch_context_free(dispatch_context_t *ctp);
dispatch_context_t *dispatch_block(dispatch_context_t *ctp);
void dispatch_unblock(dispatch_context_t *ctp);
int dispatch_handler(dispatch_context_t *ctp);

/* For every dispatch_block from now on, relative; NULL: none. One that ends so returns a
   context whose rcvid is -1, which dispatch_handler leaves alone. */
int dispatch_timeout(dispatch_t *dpp, struct timespec *reltime);

int message_attach(dispatch_t *dpp, message_attr_t *attr, int low, int high,
		   int (*func)(message_context_t *ctp, int code, unsigned flags, void *handle), void *handle);
int message_detach(dispatch_t *dpp, int low, int high, int flags);
int message_connect(dispatch_t *dpp, int flags);
int pulse_attach(dispatch_t *dpp, int flags, int code, int (*func)(message_context_t *ctp, int code, unsigned flags, void *handle),
		 void *handle);
int pulse_detach(dispatch_t *dpp, int code, int flags);

int select_attach(void *dpp, select_attr_t *attr, int fd, unsigned flags,
		  int (*func)(select_context_t *ctp, int fd, unsigned flags, void *handle), void *handle);
int select_detach(void *dpp, int fd);
int select_query(select_context_t *ctp, int *fd, unsigned *flags,
		 int (**func)(select_context_t *ctp, int fd, unsigned flags, void *handle), void **handle);

thread_pool_t *thread_pool_create(thread_pool_attr_t *attr, unsigned flags);
int thread_pool_start(void *pool);
int thread_pool_destroy(thread_pool_t *pool);
int thread_pool_control(thread_pool_t *pool, thread_pool_attr_t *attr, uint16_t lower, uint16_t upper, unsigned flags);
int thread_pool_limits(thread_pool_t *pool, int lowater, int hiwater, int maximum, int increment, unsigned flags);

name_attach_t *name_attach(dispatch_t *dpp, const char *path, unsigned flags);
int name_detach(name_attach_t *attach, unsigned flags);
int name_open(const char *name, int flags);
int name_close(int coid);

QNXHOST_END

#endif
