package shmtest

const (
	cTimeout  = "TimerTimeout"
	cPool     = "ChannelCreatePulsePool"
	cFlags    = "ConnectFlags"
	cUnname   = "name_detach"
	cPulses   = "MsgReceivePulse"
	cParts    = "MsgReceivev"
	cSendNC   = "MsgSendnc"
	cOwnChan  = "dispatch_create_channel"
	cOnPulse  = "pulse_attach"
	cSelect   = "select_attach"
	cTimer    = "TimerCreate"
	cSchedSet = "SchedSet"
	docTimer  = "QNX SDP 6.5 SP1 C Library Reference, TimerTimeout()"
	docKernel = "Getting Started with QNX Neutrino (7.0), Kernel timeouts"
	docFlags  = lib71 + "ConnectFlags()"
	docCoids  = lib71 + "ConnectServerInfo()"
	docError8 = lib80 + "MsgError()"
	programs  = "programs for QNX of 36 public repositories"
	messaging = "Eclipse S-CORE communication, message passing"
)

// cRules are those that only programs in C can meet. The case of each is the function of
// its id in qnxhost/testdata.
var cRules = []Rule{
	{ID: "timeout/send-unreceived", Call: cTimeout, Condition: "for _NTO_TIMEOUT_SEND alone, the message is not received", Effect: "ETIMEDOUT", Evidence: Documented, Source: docTimer},
	{ID: "timeout/send-received", Call: cTimeout, Condition: "for _NTO_TIMEOUT_SEND alone, the message is received in time", Effect: "MsgSend waits for the answer, however long", Evidence: Documented, Source: docKernel + ": it is for the states that are named"},
	{ID: "timeout/reply-unreceived", Call: cTimeout, Condition: "for _NTO_TIMEOUT_REPLY alone, the message is not received", Effect: "the time does not begin; once received, MsgSend returns the answer", Evidence: Documented, Source: docKernel + ": it begins on entry into the state", HostDiffers: "On the host it begins when the client has learnt that the message was received."},
	{ID: "timeout/reply-received", Call: cTimeout, Condition: "for _NTO_TIMEOUT_REPLY alone, the message is received and not answered", Effect: "ETIMEDOUT", Evidence: Documented, Source: docTimer},
	{ID: "timeout/reply-unblock", Call: cTimeout, Condition: "the same, and the channel has _NTO_CHF_UNBLOCK", Effect: "the server gets the unblock pulse, and what it replies is the result", Evidence: Observed, Source: score},
	{ID: "timeout/reply-restart", Call: cTimeout, Condition: "for _NTO_TIMEOUT_REPLY alone, the server wants the message again (ERESTART), and does not receive it", Effect: "the time begins when it is received again", Evidence: Module, Source: infModule + ": after ERESTART a target calls again, for which no timeout is armed", HostDiffers: "A target may have no timeout then."},
	{ID: "timeout/reply-null", Call: cTimeout, Condition: "for _NTO_TIMEOUT_REPLY alone, without a time", Effect: "ETIMEDOUT", Evidence: Documented, Source: docTimer + ": no time means at once"},
	{ID: "timeout/other-state", Call: cTimeout, Condition: "for _NTO_TIMEOUT_RECEIVE, then MsgSend", Effect: "MsgSend has no timeout", Evidence: Observed, Source: score},
	{ID: "timeout/once", Call: cTimeout, Condition: "a call has timed out, and is made again", Effect: "it has no timeout", Evidence: Observed, Source: score},
	{ID: "timeout/ready", Call: cTimeout, Condition: "the call after it does not have to wait", Effect: "the call after that one has no timeout", Evidence: Documented, Source: docKernel + ": the return of any kernel call clears it"},
	{ID: "timeout/cleared", Call: cTimeout, Condition: "another kernel call is made before the one that waits, whatever it returns", Effect: "the call that waits has no timeout", Evidence: Documented, Source: docKernel + ": the return of any kernel call clears it", HostDiffers: "On the host what the system does alone clears nothing, like read() and nanosleep()."},
	{ID: "timeout/tolerance", Call: cTimeout, Condition: "with TIMER_TOLERANCE, which tells how much later it may be", Effect: "succeeds, and the time is kept", Evidence: Observed, Source: score + " passes it", HostDiffers: "The host is as exact without."},
	{ID: "timeout/soft-time", Call: cTimeout, Condition: "CLOCK_SOFTTIME", Effect: "ETIMEDOUT", Evidence: Observed, Source: score},
	{ID: "timeout/absolute", Call: cTimeout, Condition: "with TIMER_ABSTIME, the time passes or has passed", Effect: "ETIMEDOUT", Evidence: Documented, Source: docTimer},
	{ID: "timeout/no-clock", Call: cTimeout, Condition: "there is no such clock", Effect: "EINVAL", Evidence: Assumed, Source: "inferred from timer_create() of POSIX"},
	{ID: "timeout/other-event", Call: cTimeout, Condition: "an event other than SIGEV_UNBLOCK", Effect: "ENOSYS", Evidence: Module, Source: infModule + "; " + docKernel + ": the event should always be SIGEV_UNBLOCK"},

	{ID: "channel/flags-known", Call: cChannel, Condition: "any flag of the headers", Effect: "works; what has no meaning on the host changes nothing", Evidence: Module, Source: infModule, HostDiffers: "On a target all have a meaning, and some need a right."},
	{ID: "channel/pulse-pool", Call: cPool, Condition: "a pool for ten pulses, ten are sent", Effect: "all are received", Evidence: Documented, Source: lib71 + "ChannelCreate()", HostDiffers: "On the host there is room for more."},
	{ID: "connect/flags-known", Call: cConnect, Condition: "the flags _NTO_COF_CLOEXEC, _NOSHARE, _NOEVENT, _REG_EVENTS", Effect: "works, and ConnectFlags tells them", Evidence: Documented, Source: lib71 + "ConnectAttach(); " + docFlags},
	{ID: "connect/flags-unknown", Call: cConnect, Condition: "unknown flags", Effect: "EINVAL", Evidence: Older, Source: infOld},
	{ID: "connect/flags-changed", Call: cFlags, Condition: "a mask and bits", Effect: "the flags of the mask become those of the bits; the result is what they were", Evidence: Documented, Source: docFlags},
	{ID: "connect/flags-closed", Call: cFlags, Condition: "the connection was detached, or never was", Effect: "EBADF", Evidence: Documented, Source: lib80 + "ConnectFlags()"},
	{ID: "connect/no-share", Call: cConnect, Condition: "with _NTO_COF_NOSHARE, a second connection to the channel", Effect: "it is a client of its own: another scoid, another disconnect pulse", Evidence: Older, Source: infOld},
	{ID: "connect/negative-ids", Call: cConnect, Condition: "a pid, coid, chid or rcvid of -1: ConnectAttach, ConnectDetach, ConnectServerInfo, MsgSend, MsgSendPulse, MsgReceive, MsgReceivePulse, MsgReply, MsgError, MsgDeliverEvent", Effect: "each fails", Evidence: Observed, Source: score},
	{ID: "connect/own-pid", Call: cInfo, Condition: "pid 0, with and without a place for the info", Effect: "the coid, of the calling process", Evidence: Observed, Source: score},
	{ID: "connect/index", Call: cConnect, Condition: "the index has bits besides _NTO_SIDE_CHANNEL", Effect: "they are ignored", Evidence: Documented, Source: lib71 + "ConnectAttach()"},
	{ID: "who/next-coid", Call: cInfo, Condition: "the process has no such coid, but one above", Effect: "the next coid, and the info of that", Evidence: Documented, Source: docCoids, HostDiffers: "On the host no connection has the number of a descriptor."},
	{ID: "who/none-above", Call: cInfo, Condition: "the process has neither such a coid nor one above", Effect: "EINVAL", Evidence: Older, Source: docCoids + ": it fails; the errno: " + infOld},
	{ID: "who/dead", Call: cInfo, Condition: "the channel is gone, with a place for the info", Effect: "the coid; the flags have _NTO_COF_DEAD", Evidence: Documented, Source: docCoids},
	{ID: "who/dead-passed-over", Call: cInfo, Condition: "the channel is gone, without a place for the info", Effect: "the next coid whose channel is there", Evidence: Documented, Source: docCoids},
	{ID: "detach/name-close", Call: cDetach, Condition: "name_close() of the scoid of a disconnect pulse", Effect: "the client is detached", Evidence: Observed, Source: score},
	{ID: "death/named", Call: cAttach, Condition: "without a channel: the server of a connection of this process closes its channel", Effect: "the channel that was made receives the death pulse", Evidence: Documented, Source: docAttach},
	{ID: "death/stays", Call: cDetach, Condition: "the server is gone", Effect: "the coid is not free before it is detached", Evidence: Documented, Source: lib71 + "ChannelDestroy()"},
	{ID: "death/thread", Call: cChannel, Condition: "with _NTO_CHF_THREAD_DEATH: a thread of the process ends, by return, pthread_exit or cancellation", Effect: "one pulse of the thread's priority, with its id as the value, before it is joined", Evidence: Older, Source: infOld + " on which threads; the value: " + lib80 + "_pulse; " + docStarted + " names threads that wait on the channel", HostDiffers: "The value is what gettid() tells there, and a pthread_t on a target."},
	{ID: "death/main", Call: cChannel, Condition: "the same, of the thread that runs main()", Effect: "one pulse", Evidence: Older, Source: infOld},
	{ID: "death/thread-unasked", Call: cChannel, Condition: "without _NTO_CHF_THREAD_DEATH: a thread ends", Effect: "no pulse", Evidence: Documented, Source: docStarted},
	{ID: "name/detach-unknown", Call: cUnname, Condition: "never attached", Effect: "EINVAL", Evidence: Documented, Source: lib70 + "name_detach()"},
	{ID: "name/detach-keeps", Call: cUnname, Condition: "with NAME_FLAG_DETACH_SAVEDPP", Effect: "the name is gone, the channel stays, and can have another", Evidence: Documented, Source: lib70 + "name_detach()"},

	{ID: "receive/int-ids", Call: cReceive, Condition: "the id of a message is kept in an int, and that in an unblock pulse too", Effect: "both are the same, and good for the answer", Evidence: Observed, Source: programs + "; " + score},
	{ID: "receive/small-buffer", Call: cReceive, Condition: "a pulse is there, and the buffer is smaller than one", Effect: "EFAULT, and the pulse is lost", Evidence: Documented, Source: docReceive},
	{ID: "receive/pulse-leaves-info", Call: cReceive, Condition: "a pulse is received", Effect: "the info is as it was", Evidence: Documented, Source: docReceive},
	{ID: "receive/pulses-only", Call: cPulses, Condition: "a message waits, and a pulse behind it", Effect: "the pulse is received, the message is left to MsgReceive", Evidence: Documented, Source: lib70 + "MsgReceivePulse()"},
	{ID: "pieces/receive-empty", Call: cParts, Condition: "into no memory at all", Effect: "the message is received, 0 bytes of it", Evidence: Observed, Source: score},
	{ID: "priority/own-pulse", Call: cPulse, Condition: "the priority is -1", Effect: "it is that of the thread, which is 10 at first", Evidence: Documented, Source: docPulse},
	{ID: "priority/own-message", Call: cSend, Condition: "threads of several priorities send, and pulses of others wait", Effect: "a message has the priority of its thread: the info tells it, and the higher is received first", Evidence: Documented, Source: docChannels},
	{ID: "priority/set", Call: cSchedSet, Condition: "a thread's priority is set: by itself or another thread, with SchedSet(), setprio(), pthread_setschedparam() or pthread_setschedprio(), or it is made with one", Effect: "SchedGet(), getprio() and pthread_getschedparam() tell it, and the thread's messages and pulses have it", Evidence: Module, Source: infModule + ": a thread has one priority, which its messages have; " + docChannels, HostDiffers: "On a target it takes a right to set one that is above the user's."},
	{ID: "send/error-below", Call: cError, Condition: "the errno is below -1", Effect: "EINVAL", Evidence: Module, Source: infModule},
	{ID: "send/r-forms", Call: cSend, Condition: "a form whose name ends in _r fails, of any call", Effect: "it returns the negative errno, and errno is as it was", Evidence: Documented, Source: docSend},

	{ID: "signal/receive", Call: cReceive, Condition: "a signal handler runs while the thread waits", Effect: "EINTR", Evidence: Documented, Source: docReceive},
	{ID: "signal/send-blocked", Call: cSend, Condition: "a signal handler runs, the message was not received", Effect: "EINTR", Evidence: Documented, Source: docSend},
	{ID: "signal/reply-blocked", Call: cSend, Condition: "a signal handler runs, the message was received, the channel has no _NTO_CHF_UNBLOCK", Effect: "EINTR", Evidence: Documented, Source: docSend},
	{ID: "signal/unblock", Call: cSend, Condition: "a signal wants to interrupt a client whose message was received, the channel has _NTO_CHF_UNBLOCK", Effect: "the server gets the unblock pulse, and what it replies is the result", Evidence: Documented, Source: docStarted},
	{ID: "signal/let-go", Call: cError, Condition: "the server answers such a client with the errno -1", Effect: "EINTR", Evidence: Documented, Source: docError8},
	{ID: "cancel/send", Call: cSend, Condition: "the thread is cancelled, before and after its message was received", Effect: "the thread ends; an answer is ESRCH", Evidence: Documented, Source: docSend + ": a cancellation point; " + docReply},
	{ID: "cancel/nc-forms", Call: cSendNC, Condition: "the thread is cancelled", Effect: "the call goes on until it is answered", Evidence: Documented, Source: docSend + ": no cancellation point"},
	{ID: "detach/send-blocked", Call: cDetach, Condition: "another thread waits in MsgSend on the connection, its message was not received", Effect: "EBADF", Evidence: Older, Source: docDetach80 + ": it fails; the errno: " + infOld},
	{ID: "detach/reply-blocked", Call: cDetach, Condition: "the same, the message was received, the channel has no _NTO_CHF_UNBLOCK", Effect: "EBADF", Evidence: Older, Source: infOld},
	{ID: "detach/unblock", Call: cDetach, Condition: "the same, and the channel has _NTO_CHF_UNBLOCK", Effect: "the server gets the unblock pulse, and what it replies is the result", Evidence: Documented, Source: docDetach80},

	{ID: "event/as-it-is", Call: cDeliver, Condition: "an event that was not registered, on a connection without _NTO_COF_REG_EVENTS", Effect: "it is delivered; SIGEV_NONE does nothing", Evidence: Documented, Source: docDeliver},
	{ID: "event/to-itself", Call: cDeliver, Condition: "rcvid 0", Effect: "it is for the caller itself", Evidence: Documented, Source: docDeliver},
	{ID: "event/registered-only", Call: cDeliver, Condition: "an event that was not registered, on a connection with _NTO_COF_REG_EVENTS", Effect: "EACCES", Evidence: Documented, Source: docEvent},
	{ID: "event/no-event", Call: cDeliver, Condition: "a connection with _NTO_COF_NOEVENT", Effect: "EACCES", Evidence: Documented, Source: docEvent},
	{ID: "event/signal", Call: cDeliver, Condition: "SIGEV_SIGNAL", Effect: "the client gets the signal", Evidence: Documented, Source: docDeliver},
	{ID: "event/signal-code", Call: cDeliver, Condition: "SIGEV_SIGNAL_CODE", Effect: "the client gets the signal, with its code and value", Evidence: Documented, Source: docDeliver},
	{ID: "event/signal-thread", Call: cDeliver, Condition: "SIGEV_SIGNAL_THREAD", Effect: "the thread that has sent the message gets the signal", Evidence: Documented, Source: docDeliver},
	{ID: "event/new-thread", Call: cDeliver, Condition: "SIGEV_THREAD, registered", Effect: "the function runs in a thread of its own", Evidence: Documented, Source: docDeliver},
	{ID: "event/new-thread-unasked", Call: cDeliver, Condition: "SIGEV_THREAD, not registered", Effect: "EINVAL", Evidence: Module, Source: infModule + ": a client runs nothing at an address that another process names"},

	{ID: "dispatch/own-channel", Call: cOwnChan, Condition: "chid -1", Effect: "makes a channel, which goes with it", Evidence: Observed, Source: score},
	{ID: "dispatch/pulse", Call: cOnPulse, Condition: "a code is allocated, and a pulse with it comes", Effect: "dispatch_handler calls the function", Evidence: Observed, Source: messaging},
	{ID: "dispatch/select-twice", Call: cSelect, Condition: "the descriptor is attached already", Effect: "EBUSY", Evidence: Observed, Source: score},
	{ID: "dispatch/timer", Call: cTimer, Condition: "SIGEV_PULSE, the time comes", Effect: "one pulse, with the code and value of the event", Evidence: Observed, Source: messaging},
}
