package main

import (
	"net/http"
	"slices"
	"time"

	"github.com/vmware/govmomi/vapi/library"
)

func (v *verifier) checkUpdateSessions() {
	v.check("update session: a new one is active, tells its item and when it expires, and is listed until it is deleted", func() {
		item, id := v.newUpload()
		session := v.session(id)
		equal("id and item", []string{session.ID, session.LibraryItemID}, []string{id, item})
		equal("state", session.State, "ACTIVE")
		equal("content version", session.LibraryItemContentVersion, "1")
		equal("progress", session.ClientProgress, int64(0))
		that(session.ErrorMessage == nil, "it has an error: %v", session.ErrorMessage)
		that(session.ExpirationTime != nil && time.Until(*session.ExpirationTime) > 0, "it expires at %v", session.ExpirationTime)
		that(slices.Contains(get(v.m.ListLibraryItemUpdateSession(v.ctx)), id), "it is not listed")
		equal("files", len(get(v.m.ListLibraryItemUpdateSessionFile(v.ctx, id))), 0)
		do(v.m.CancelLibraryItemUpdateSession(v.ctx, id))
		do(v.m.DeleteLibraryItemUpdateSession(v.ctx, id))
		that(!slices.Contains(get(v.m.ListLibraryItemUpdateSession(v.ctx)), id), "it is still listed")
		statusIs(errorOf(v.m.GetLibraryItemUpdateSession(v.ctx, id)), http.StatusNotFound)
	})
	v.check("update session: keeping it alive puts off when it expires", func() {
		_, id := v.newUpload()
		before := *v.session(id).ExpirationTime
		time.Sleep(20 * time.Millisecond)
		do(v.m.KeepAliveLibraryItemUpdateSession(v.ctx, id))
		after := *v.session(id).ExpirationTime
		that(after.After(before), "it expires at %v, and did at %v", after, before)
	})
	v.check("update session: completed without a change, it is done and the item as it was", func() {
		item, id := v.newUpload()
		v.complete(id)
		equal("content version", v.item(item).ContentVersion, "1")
		do(v.m.WaitOnLibraryItemUpdateSession(v.ctx, id, time.Millisecond, nil))
		do(v.m.DeleteLibraryItemUpdateSession(v.ctx, id))
	})
	v.check("update session: cancelled, it lets go of the item, whose content stays", func() {
		item := v.newItem()
		v.store(item, map[string][]byte{"a": content(1, 10)})
		id := v.newSession(item)
		v.push(id, "a", content(2, 20))
		v.push(id, "b", content(3, 30))
		do(v.m.CancelLibraryItemUpdateSession(v.ctx, id))
		equal("state", v.session(id).State, "CANCELED")
		equal("files", v.names(item), []string{"a"})
		v.assertContent(item, "a", content(1, 10))
		do(v.m.CancelLibraryItemUpdateSession(v.ctx, v.newSession(item)))
	})
	v.check("update session: failed by its client, it is an error with a message, and whoever waits is told", func() {
		item, id := v.newUpload()
		v.push(id, "a", content(1, 10))
		do(v.m.FailLibraryItemUpdateSession(v.ctx, id))
		session := v.session(id)
		equal("state", session.State, "ERROR")
		that(session.ErrorMessage != nil, "it has no message")
		equal("told", told(v.m.WaitOnLibraryItemUpdateSession(v.ctx, id, time.Millisecond, nil)), *session.ErrorMessage)
		equal("files", v.names(item), []string{})
		do(v.m.DeleteLibraryItemUpdateSession(v.ctx, id))
		do(v.m.CancelLibraryItemUpdateSession(v.ctx, v.newSession(item)))
	})
}

func (v *verifier) checkUpdateSessionRefusals() {
	create := func(m *library.Manager, item string) error {
		return errorOf(m.CreateLibraryItemUpdateSession(v.ctx, library.Session{LibraryItemID: item}))
	}
	v.check("update session: a second one on an item is busy, somebody else's too, until the first has ended", func() {
		item, id := v.newUpload()
		refused(create(v.m, item), "resource_busy")
		refused(create(v.other, item), "resource_busy")
		v.complete(id)
		do(create(v.other, item))
	})
	v.check("update session: one for no item, or an item that is not there, is refused", func() {
		refused(create(v.m, ""), "invalid_argument")
		statusIs(create(v.m, nothing), http.StatusNotFound)
	})
	v.check("update session: an active one is not deleted", func() {
		_, id := v.newUpload()
		refused(v.m.DeleteLibraryItemUpdateSession(v.ctx, id), "not_allowed_in_current_state")
		equal("state", v.session(id).State, "ACTIVE")
	})
	for _, end := range []struct {
		state string
		by    func(id string) error
	}{
		{"DONE", func(id string) error { return v.m.CompleteLibraryItemUpdateSession(v.ctx, id) }},
		{"CANCELED", func(id string) error { return v.m.CancelLibraryItemUpdateSession(v.ctx, id) }},
		{"ERROR", func(id string) error { return v.m.FailLibraryItemUpdateSession(v.ctx, id) }},
	} {
		v.check("update session: nothing is changed in one that is "+end.state+", and its files can be read of", func() {
			_, id := v.newUpload()
			v.push(id, "a", content(1, 10))
			do(end.by(id))
			for what, err := range v.callsOfActive(id) {
				reason := reasonOf(func() { refused(err, "not_allowed_in_current_state") })
				that(reason == "", "%s: %s", what, reason)
			}
			equal("state", v.session(id).State, end.state)
			equal("the file's name", v.file(id, "a").Name, "a")
			equal("files", len(get(v.m.ListLibraryItemUpdateSessionFile(v.ctx, id))), 1)
		})
	}
	v.check("update session: an id of nothing, or of somebody else's, is 404 for everything that takes one", func() {
		_, mine := v.newUpload()
		id := get(v.other.CreateLibraryItemUpdateSession(v.ctx, library.Session{LibraryItemID: v.newItem()}))
		do(v.other.CancelLibraryItemUpdateSession(v.ctx, id))
		do(v.other.DeleteLibraryItemUpdateSession(v.ctx, id))
		for _, gone := range []string{nothing, id} {
			for what, err := range v.callsOfActive(gone) {
				reason := reasonOf(func() { statusIs(err, http.StatusNotFound) })
				that(reason == "", "%s: %s", what, reason)
			}
			statusIs(errorOf(v.m.GetLibraryItemUpdateSession(v.ctx, gone)), http.StatusNotFound)
			statusIs(errorOf(v.m.ListLibraryItemUpdateSessionFile(v.ctx, gone)), http.StatusNotFound)
			statusIs(errorOf(v.m.GetLibraryItemUpdateSessionFile(v.ctx, gone, "a")), http.StatusNotFound)
			statusIs(v.m.DeleteLibraryItemUpdateSession(v.ctx, gone), http.StatusNotFound)
			statusIs(v.m.WaitOnLibraryItemUpdateSession(v.ctx, gone, time.Millisecond, nil), http.StatusNotFound)
		}
		that(!slices.Contains(get(v.other.ListLibraryItemUpdateSession(v.ctx)), mine), "somebody else's is listed")
		statusIs(errorOf(v.other.GetLibraryItemUpdateSession(v.ctx, mine)), http.StatusNotFound)
		statusIs(v.other.CompleteLibraryItemUpdateSession(v.ctx, mine), http.StatusNotFound)
		equal("state", v.session(mine).State, "ACTIVE")
	})
}

// callsOfActive makes every call that only an active session takes.
func (v *verifier) callsOfActive(id string) map[string]error {
	push := library.UpdateFile{Name: "new", SourceType: "PUSH"}
	return map[string]error{
		"complete":   v.m.CompleteLibraryItemUpdateSession(v.ctx, id),
		"cancel":     v.m.CancelLibraryItemUpdateSession(v.ctx, id),
		"fail":       v.m.FailLibraryItemUpdateSession(v.ctx, id),
		"keep alive": v.m.KeepAliveLibraryItemUpdateSession(v.ctx, id),
		"add":        errorOf(v.m.AddLibraryItemFile(v.ctx, id, push)),
		"remove":     v.m.RemoveLibraryItemUpdateSessionFile(v.ctx, id, "a"),
		"validate":   errorOf(v.m.ValidateLibraryItemUpdateSessionFile(v.ctx, id)),
	}
}
