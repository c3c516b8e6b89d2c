//go:build qnx && cgo

package qnxmsg

/*
#include <errno.h>
#include <string.h>
#include <sys/neutrino.h>

struct qnxmsg_server {
	int error;
	struct _server_info info;
};

static inline struct qnxmsg_server qnxmsg_server_info(int coid) {
	struct qnxmsg_server s;
	int got;
	memset(&s, 0, sizeof s);
	got = ConnectServerInfo_r(0, coid, &s.info);
	s.error = got < 0 ? -got : got != coid ? EINVAL : 0; // or the next connection is described
	return s;
}

struct qnxmsg_client {
	int error;
	struct _client_info info;
};

static inline struct qnxmsg_client qnxmsg_client_info(int scoid) {
	struct qnxmsg_client c;
	int result;
	memset(&c, 0, sizeof c);
	result = ConnectClientInfo_r(scoid, &c.info, sizeof c.info.cred.grouplist / sizeof *c.info.cred.grouplist);
	c.error = result < 0 ? -result : 0;
	return c;
}
*/
import "C"

import "syscall"

func serverInfo(coid int) (ServerInfo, error) {
	r := C.qnxmsg_server_info(cInt(coid))
	if r.error != 0 {
		return ServerInfo{}, errorOf(r.error)
	}
	return ServerInfo{PID: int(r.info.pid), ChannelID: int(r.info.chid), SCOID: int(r.info.scoid)}, nil
}

func clientInfo(scoid int) (ClientInfo, error) {
	if scoid != int(C.int(scoid)) { // cInt's -1 means something here
		return ClientInfo{}, syscall.EINVAL
	}
	r := C.qnxmsg_client_info(C.int(scoid))
	if r.error != 0 {
		return ClientInfo{}, errorOf(r.error)
	}
	cred := &r.info.cred
	info := ClientInfo{
		PID: int(r.info.pid), SID: int(r.info.sid),
		RealUID: int(cred.ruid), EffectiveUID: int(cred.euid), SavedUID: int(cred.suid),
		RealGID: int(cred.rgid), EffectiveGID: int(cred.egid), SavedGID: int(cred.sgid),
	}
	for _, group := range cred.grouplist[:min(int(cred.ngroups), len(cred.grouplist))] {
		info.Groups = append(info.Groups, int(group))
	}
	return info, nil
}
