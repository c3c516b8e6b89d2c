/* Copyright (c) 2026, The qnxshm Authors. BSD-3-Clause, see LICENSE. */

/* Channels and connections, and who is at the other end. */

#define _GNU_SOURCE
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <unistd.h>

#include "_cgo_export.h"
#include "face.h"

int ChannelCreate_r(unsigned flags)
{
	QNXHOST_R_FORM;
	int chid = -1, error;

	if (flags & _NTO_CHF_THREAD_DEATH)
		qnxhost_want_thread_deaths();
	error = QNXHOST_CALL(qnxhost_go_channel_create(flags, &chid));

	return error ? -error : chid;
}

/* The host's pulses need no pool: of the configuration nothing counts. */
int ChannelCreatePulsePool(unsigned flags, const struct nto_channel_config *config)
{
	QNXHOST_KERNEL_CALL;

	if (qnxhost_forked() || config == NULL)
		return qnxhost_result(qnxhost_forked() ? ENOSYS : EFAULT);
	return ChannelCreate(flags | _NTO_CHF_PULSE_POOL);
}

int ChannelDestroy_r(int chid)
{
	QNXHOST_R_FORM;

	return -QNXHOST_CALL(qnxhost_go_channel_destroy(chid));
}

int ConnectAttach_r(uint32_t nd, pid_t pid, int chid, unsigned index, int flags)
{
	QNXHOST_R_FORM;
	int coid = -1, error;

	if (nd != 0)
		return -ENOREMOTE;
	if (index != 0 && (index & _NTO_SIDE_CHANNEL) == 0)
		return -EINVAL;
	error = QNXHOST_CALL(qnxhost_go_connect_attach(pid, chid, flags, &coid));
	return error ? -error : coid;
}

int ConnectDetach_r(int coid)
{
	QNXHOST_R_FORM;

	if (coid == SYSMGR_COID)
		return -EPERM;
	return -QNXHOST_CALL(qnxhost_go_connect_detach(coid));
}

int ConnectFlags_r(pid_t pid, int coid, unsigned mask, unsigned bits)
{
	QNXHOST_R_FORM;
	unsigned old = 0;
	int error;

	if (pid != 0 && pid != getpid())
		return pid < 0 ? -ESRCH : -ENOSYS; /* others' connections are not ours to see */
	error = QNXHOST_CALL(qnxhost_go_connect_flags(coid, mask, bits, &old));
	return error ? -error : (int)old;
}

int ConnectServerInfo_r(pid_t pid, int coid, struct _server_info *info)
{
	QNXHOST_R_FORM;
	struct _server_info got;
	int error;

	if (pid != 0 && pid != getpid())
		return pid < 0 ? -ESRCH : -ENOSYS; /* others' connections are not ours to see */
	error = QNXHOST_CALL(qnxhost_go_server_info(&coid, info ? &got : NULL));
	if (error)
		return -error;
	if (info)
		*info = got;
	return coid;
}

int ConnectClientInfo_r(int scoid, struct _client_info *info, int ngroups)
{
	QNXHOST_R_FORM;
	struct _client_info got;
	gid_t *groups = NULL;
	int error;

	if (ngroups < 0)
		return -EINVAL;
	if (ngroups > NGROUPS_MAX)
		ngroups = NGROUPS_MAX; /* no process has more */
	if (ngroups > 0 && (groups = calloc(ngroups, sizeof *groups)) == NULL)
		return -ENOMEM;
	error = QNXHOST_CALL(qnxhost_go_client_info(scoid, &got, groups, ngroups));
	if (error == 0 && info == NULL)
		error = EFAULT;
	if (error == 0) {
		*info = got;
		if (ngroups > 0) /* the program's list may be longer than the one declared */
			memcpy((char *)info + offsetof(struct _client_info, cred.grouplist), groups, got.cred.ngroups * sizeof *groups);
	}
	free(groups);
	return -error;
}

int ConnectClientInfoExt(int scoid, struct _client_info **info, int flags)
{
	QNXHOST_KERNEL_CALL;
	struct _client_info *all, few;
	unsigned groups = 0;
	int error;

	if (info == NULL || (flags & ~(_NTO_CLIENTINFO_GETGROUPS | _NTO_CLIENTINFO_GETTYPEID)))
		return qnxhost_result(info ? EINVAL : EFAULT);
	error = -ConnectClientInfo_r(scoid, &few, 0); /* tells how many groups there are */
	if (error)
		return qnxhost_result(error);
	if (flags & _NTO_CLIENTINFO_GETGROUPS)
		groups = few.cred.ngroups;
	all = calloc(1, sizeof *all + (groups + 1) * sizeof(gid_t));
	if (all == NULL)
		return -1;
	*all = few;
	all->cred.ngroups = 0;
	error = groups > 0 ? -ConnectClientInfo_r(scoid, all, (int)groups) : 0;
	if (error) {
		free(all);
		return qnxhost_result(error);
	}
	*info = all;
	return 0;
}

int ClientInfoExtFree(struct _client_info **info)
{
	if (info == NULL)
		return qnxhost_result(EFAULT);
	free(*info);
	*info = NULL;
	return 0;
}

QNXHOST_PLAIN(int, ChannelCreate, (unsigned flags), (flags))
QNXHOST_PLAIN(int, ChannelDestroy, (int chid), (chid))
QNXHOST_PLAIN(int, ConnectAttach, (uint32_t nd, pid_t pid, int chid, unsigned index, int flags), (nd, pid, chid, index, flags))
QNXHOST_PLAIN(int, ConnectDetach, (int coid), (coid))
QNXHOST_PLAIN(int, ConnectFlags, (pid_t pid, int coid, unsigned mask, unsigned bits), (pid, coid, mask, bits))
QNXHOST_PLAIN(int, ConnectServerInfo, (pid_t pid, int coid, struct _server_info *info), (pid, coid, info))
QNXHOST_PLAIN(int, ConnectClientInfo, (int scoid, struct _client_info *info, int ngroups), (scoid, info, ngroups))
