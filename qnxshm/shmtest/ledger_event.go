package shmtest

const (
	docRegister   = lib71 + "MsgRegisterEvent()"
	docUnregister = lib71 + "MsgUnregisterEvent()"
	docDeliver    = lib71 + "MsgDeliverEvent()"
	docVerify     = lib71 + "MsgVerifyEvent()"
	docSecure     = "QNX SDP 7.1 System Architecture, Events"
)

// eventRules are about events that servers deliver to their clients.
var eventRules = []Rule{
	{ID: "event/delivered", Call: cDeliver, Condition: "the client has registered a pulse for this server, and sent the event", Effect: "the client's channel receives the pulse, with its own code and value, and the scoid of the client itself", Evidence: Documented, Source: docDeliver},
	{ID: "event/while-blocked", Call: cDeliver, Condition: "the client waits for the answer to its message", Effect: "the pulse waits at the client's channel, and the client waits on", Evidence: Observed, Source: score},
	{ID: "event/after-answer", Call: cDeliver, Condition: "the message was answered before", Effect: "the pulse is delivered", Evidence: Documented, Source: docDeliver},
	{ID: "event/often", Call: cDeliver, Condition: "an event is delivered many times", Effect: "as many pulses are received, in order", Evidence: Documented, Source: docDeliver},
	{ID: "event/updateable", Call: cDeliver, Condition: "the event was registered as updateable, and the server has changed its value", Effect: "the pulse has the server's value", Evidence: Documented, Source: docSecure},
	{ID: "event/fixed-value", Call: cDeliver, Condition: "the event was not registered as updateable, and the server has changed its value", Effect: "the pulse has the client's value", Evidence: Documented, Source: docSecure},
	{ID: "event/any-server", Call: cRegister, Condition: "registered without a server (coid -1)", Effect: "every server of the client can deliver it", Evidence: Documented, Source: docRegister},
	{ID: "event/other-server", Call: cDeliver, Condition: "the event was registered for another server", Effect: "EACCES", Evidence: Assumed, Source: docRegister + ": the only server permitted; the errno is inferred from " + docDeliver},
	{ID: "event/unregistered", Call: cDeliver, Condition: "the client has unregistered the event", Effect: "EACCES", AlsoAccept: []string{"EINVAL", "ESRCH"}, Evidence: Assumed, Source: "inferred from " + docDeliver},
	{ID: "event/connection-closed", Call: cDeliver, Condition: "the client has closed the connection that the event was registered for, and has another one", Effect: "EBADF", AlsoAccept: []string{"EACCES", "ESRCH"}, Evidence: Documented, Source: docEvent},
	{ID: "event/other-connection", Call: cDeliver, Condition: "the client's thread has sent another message meanwhile, by a second connection to the channel, which it has closed", Effect: "the event is delivered, by the connection that it was registered for", Evidence: Assumed, Source: "inferred from " + docEvent + ": EBADF is for the connection of the rcvid"},
	{ID: "event/channel-closed", Call: cDeliver, Condition: "the client has closed the channel that the event is for", Effect: "ESRCH", AlsoAccept: []string{"EBADF", "EACCES", "EOK"}, Evidence: Assumed, Source: docVerify + ": the connection for the pulse does not exist", HostDiffers: "A target may give the number of that connection to another one, which the pulse then goes to."},
	{ID: "event/client-gone", Call: cDeliver, Condition: "the client is gone", Effect: "ESRCH", AlsoAccept: []string{"EBADF"}, Evidence: Documented, Source: docEvent},
	{ID: "event/none", Call: cDeliver, Condition: "what the client has sent is no event, or a pulse was received", Effect: "EINVAL", AlsoAccept: []string{"EOK"}, Evidence: Documented, Source: docDeliver},
	{ID: "event/flood", Call: cDeliver, Condition: "too many pulses wait at the client's channel", Effect: "EAGAIN", Evidence: Documented, Source: docEvent},
	{ID: "event/verify", Call: cVerify, Condition: "a server asks about an event that it could deliver", Effect: "success, and nothing is delivered", Evidence: Documented, Source: docVerify},
	{ID: "event/verify-ended", Call: cVerify, Condition: "a server asks about an event that the client has unregistered", Effect: "EACCES", AlsoAccept: []string{"EINVAL", "ESRCH"}, Evidence: Assumed, Source: "inferred from " + docVerify},
	{ID: "event/unregister-unknown", Call: cUnregister, Condition: "the process has not registered the event, or not any more", Effect: "ESRCH", Evidence: Documented, Source: docUnregister},
	{ID: "event/register-invalid", Call: cRegister, Condition: "unknown flags; priority below -1 or above 255; code not 0 to 127", Effect: "EINVAL", Evidence: Module, Source: infModule},
}
