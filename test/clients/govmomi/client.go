package main

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vapi/rest"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/soap"
)

// trust says whose certificates a client takes; none means those of the system.
type trust struct {
	// PEM files.
	authorities []string
	// Of the server's certificate.
	thumbprint string
}

// openClient makes a REST client over a SOAP client that has not logged in, and never does.
func (v *verifier) openClient(t trust) *rest.Client {
	server := get(url.Parse(v.url))
	base := soap.NewClient(server, false)
	if len(t.authorities) > 0 {
		do(base.SetRootCAs(strings.Join(t.authorities, string(filepath.ListSeparator))))
	}
	if t.thumbprint != "" {
		base.SetThumbprint(server.Host, t.thumbprint)
	}
	client := rest.NewClient(&vim25.Client{Client: base})
	client.Client.Client.Transport = v.calls.watch(client.DefaultTransport())
	return client
}

// logIn makes a client that has logged in.
func (v *verifier) logIn(ctx context.Context, t trust, who login) *library.Manager {
	client := v.openClient(t)
	do(client.Login(ctx, url.UserPassword(who.name, who.password)))
	return library.NewManager(client)
}

// callLog knows which methods of the client have sent a request: a request is sent on the stack of its method.
type callLog struct {
	mu    sync.Mutex
	names map[string]bool
}

const vapi = "github.com/vmware/govmomi/vapi/"

func (l *callLog) watch(next http.RoundTripper) http.RoundTripper {
	return watcher{l, next}
}

type watcher struct {
	log  *callLog
	next http.RoundTripper
}

func (w watcher) RoundTrip(req *http.Request) (*http.Response, error) {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	w.log.mu.Lock()
	for {
		frame, more := frames.Next()
		if name, ok := strings.CutPrefix(frame.Function, vapi); ok {
			w.log.names[name] = true
		}
		if !more {
			break
		}
	}
	w.log.mu.Unlock()
	return w.next.RoundTrip(req)
}

// seen answers names such as `library.(*Manager).CreateLibrary`.
func (l *callLog) seen() map[string]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.names)
}
