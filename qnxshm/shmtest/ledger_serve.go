package shmtest

// serveRules are about Channel.Serve, which is this module's own.
var serveRules = []Rule{
	{ID: "serve/answers", Call: cReceive, Condition: "Serve, a message of a type with a handler", Effect: "the client gets the handler's reply, or the errno of its error", Evidence: Module, Source: infModule},
	{ID: "serve/refuses", Call: cReceive, Condition: "Serve, a message without a type, or of a type without a handler", Effect: "the client gets EBADMSG, or ENOSYS; _IO_CONNECT succeeds", Evidence: Module, Source: infModule + "; " + docNameOpen + ": a server must be able to handle _IO_CONNECT"},
	{ID: "serve/clients", Call: cReceive, Condition: "Serve, a client sends several messages, and is killed", Effect: "it keeps its state until it is gone, which is told once, and is detached", Evidence: Module, Source: infModule},
	{ID: "serve/stops", Call: cReceive, Condition: "the context of Serve ends while a handler is busy", Effect: "Serve returns when the message is answered, and the channel stays open", Evidence: Module, Source: infModule},
}
