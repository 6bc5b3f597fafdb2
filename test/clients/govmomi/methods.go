package main

import (
	"reflect"
	"strings"

	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vapi/rest"
	"github.com/vmware/govmomi/vim25/soap"
)

const (
	synchronisation = "libraries that are copied from another server, and what is published to them, are not served"
	subscriptions   = "subscriptions to a published library are not served"
	usages          = "who else uses a library is not recorded"
	security        = "security policies of OVF items are a service of their own"
	certificates    = "the authorities that sign OVF items are a service of their own"
)

// Methods of library.Manager that are out of scope, and why. Each other one has to send a request in this run.
var outOfScope = map[string]string{
	"SyncLibrary":                synchronisation,
	"SyncLibraryItem":            synchronisation,
	"PublishLibrary":             synchronisation,
	"PublishLibraryItem":         synchronisation,
	"EvictSubscribedLibrary":     synchronisation,
	"EvictSubscribedLibraryItem": synchronisation,
	"ListSubscribers":            subscriptions,
	"CreateSubscriber":           subscriptions,
	"GetSubscriber":              subscriptions,
	"DeleteSubscriber":           subscriptions,
	"AddLibraryUsage":            usages,
	"GetLibraryUsage":            usages,
	"ListLibraryUsage":           usages,
	"RemoveLibraryUsage":         usages,
	"ListSecurityPolicies":       security,
	"DefaultOvfSecurityPolicy":   security,
	"ListTrustedCertificates":    certificates,
	"GetTrustedCertificate":      certificates,
	"CreateTrustedCertificate":   certificates,
	"DeleteTrustedCertificate":   certificates,
}

// Methods of rest.Client that ask no server, and why they are not missed among the requests.
var withoutRequest = map[string]string{
	"SessionID":  "reads or sets the session of the client",
	"Resource":   "makes a URL",
	"WithSigner": "makes a context",
	"Valid":      "looks at the client",
	"Path":       "is a constant",
}

// What rest.Client does in another way than the soap.Client that it is made of.
var overridden = []string{"Do", "Download", "DownloadFile", "Upload"}

func (v *verifier) checkMethods() {
	manager, client := reflect.TypeFor[*library.Manager](), reflect.TypeFor[*rest.Client]()
	v.check("every method of library.Manager has sent a request, or is out of scope for a reason", func() {
		v.assertCovered("library.(*Manager).", own(manager, client), outOfScope)
	})
	v.check("every method of rest.Client has sent a request, or sends none", func() {
		names := append(own(client, reflect.TypeFor[*soap.Client]()), overridden...)
		v.assertCovered("rest.(*Client).", names, withoutRequest)
	})
}

func (v *verifier) assertCovered(prefix string, names []string, excepted map[string]string) {
	seen := v.calls.seen()
	that(len(names) > len(excepted), "of %d methods %d are excepted", len(names), len(excepted))
	var missed, moot []string
	exists := map[string]bool{}
	for _, name := range names {
		exists[name] = true
		if !seen[prefix+name] && excepted[name] == "" {
			missed = append(missed, name)
		}
	}
	for name := range excepted {
		if !exists[name] || seen[prefix+name] {
			moot = append(moot, name)
		}
	}
	that(len(missed) == 0, "not called: %s", strings.Join(missed, ", "))
	that(len(moot) == 0, "excepted, although called or not there: %s", strings.Join(moot, ", "))
}

// own lists the exported methods of a type that it does not have from another that it embeds.
func own(of, embedded reflect.Type) []string {
	var names []string
	for i := range of.NumMethod() {
		name := of.Method(i).Name
		if _, promoted := embedded.MethodByName(name); !promoted {
			names = append(names, name)
		}
	}
	return names
}
