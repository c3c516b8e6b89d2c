package shmtest

// whoRules are about who is at the other end.
var whoRules = []Rule{
	{ID: "who/thread", Call: cReceive, Condition: "several threads of a process wait for answers", Effect: "the info of each message tells another thread", Evidence: Documented, Source: docReceive, HostDiffers: "On the host a Go program's blocked calls are numbered from 1 on."},
	{ID: "who/priority", Call: cReceive, Condition: "a thread of the default priority sends", Effect: "the info tells that priority", Evidence: Documented, Source: docReceive, HostDiffers: "It is always 10 on the host, unless the program says otherwise."},
	{ID: "who/server", Call: cInfo, Condition: "a connection by name or by pid", Effect: "tells the server's pid, its channel, and the scoid that the server knows this process by", Evidence: Documented, Source: lib71 + "ConnectServerInfo()"},
	{ID: "who/client", Call: cClient, Condition: "the scoid of a message", Effect: "tells the client's pid, its user and its groups", Evidence: Documented, Source: lib71 + "ConnectClientInfo()"},
	{ID: "who/client-of-pulse", Call: cClient, Condition: "the scoid of a pulse, the client lives", Effect: "tells about the client that sent it", Evidence: Observed, Source: score},
	{ID: "who/self", Call: cClient, Condition: "scoid -1", Effect: "tells about the calling process", Evidence: Documented, Source: lib71 + "ConnectClientInfo()"},
	{ID: "who/unknown-scoid", Call: cClient, Condition: "no client has the scoid", Effect: "EINVAL", Evidence: Documented, Source: lib80 + "iofunc_client_info_ext()"},
	{ID: "who/client-gone", Call: cClient, Condition: "the client has gone, and was not detached yet", Effect: "EINVAL", Evidence: Documented, Source: lib80 + "iofunc_client_info_ext(): the client is no longer valid"},
}
