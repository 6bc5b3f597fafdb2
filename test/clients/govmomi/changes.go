package main

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vim25/soap"
)

// Files that an item has, in a session that changes some of them.
func (v *verifier) checkPushChanges() {
	v.check("change: an item's files are in the session as they are, and stay so untouched", func() {
		item := v.newItem()
		v.store(item, map[string][]byte{"a": content(1, 100), "b": content(2, 200)})
		session := v.newSession(item)
		equal("content version", v.session(session).LibraryItemContentVersion, "2")
		for _, file := range get(v.m.ListLibraryItemUpdateSessionFile(v.ctx, session)) {
			equal(file.Name+": source type and status", []string{file.SourceType, file.Status}, []string{"NONE", "READY"})
			that(file.UploadEndpoint == nil, "%s can be sent: %s", file.Name, show(file))
		}
		v.assertReady(session, "b", 200)
		validation := get(v.m.ValidateLibraryItemUpdateSessionFile(v.ctx, session))
		that(!validation.HasErrors && len(validation.MissingFiles)+len(validation.InvalidFiles) == 0, "invalid: %s", show(validation))
		v.complete(session)
		equal("content version after no change", v.item(item).ContentVersion, "2")
	})
	v.check("change: nothing is seen of it before it is completed, and all of it at once afterwards", func() {
		item := v.newItem()
		v.store(item, map[string][]byte{"kept": content(1, 100), "replaced": content(2, 200), "removed": content(3, 300)})
		before := v.item(item)
		session := v.newSession(item)
		v.push(session, "replaced", content(4, 400))
		v.push(session, "added", content(5, 500))
		do(v.m.RemoveLibraryItemUpdateSessionFile(v.ctx, session, "removed"))
		equal("files before", v.names(item), []string{"kept", "removed", "replaced"})
		statusIs(errorOf(v.m.GetLibraryItemFile(v.ctx, item, "added")), http.StatusNotFound)
		v.assertContent(item, "replaced", content(2, 200))
		inSession := []string{}
		for _, file := range get(v.m.ListLibraryItemUpdateSessionFile(v.ctx, session)) {
			inSession = append(inSession, file.Name+" "+file.SourceType)
		}
		slices.Sort(inSession)
		equal("files in the session", inSession, []string{"added PUSH", "kept NONE", "replaced PUSH"})
		v.complete(session)
		equal("files after", v.names(item), []string{"added", "kept", "replaced"})
		for name, want := range map[string][]byte{"kept": content(1, 100), "replaced": content(4, 400), "added": content(5, 500)} {
			v.assertContent(item, name, want)
		}
		versions := map[string]string{}
		for _, file := range get(v.m.ListLibraryItemFiles(v.ctx, item)) {
			versions[file.Name] = file.Version
		}
		equal("versions", versions, map[string]string{"kept": "1", "replaced": "2", "added": "1"})
		after := v.item(item)
		equal("content versions", []string{before.ContentVersion, after.ContentVersion}, []string{"2", "3"})
		equal("metadata version", after.MetadataVersion, before.MetadataVersion)
		equal("size", after.Size, int64(1000))
		that(!after.LastModifiedTime.Before(*before.LastModifiedTime), "modified at %v, before %v", after.LastModifiedTime, before.LastModifiedTime)
		equal("the content version at the session's creation", v.session(session).LibraryItemContentVersion, "2")
	})
	v.check("change: every file is removed and others are sent, as scripts do it", func() {
		item := v.newItem()
		v.store(item, map[string][]byte{"old": content(1, 100), "same": content(2, 200)})
		session := v.newSession(item)
		for _, file := range get(v.m.ListLibraryItemUpdateSessionFile(v.ctx, session)) {
			do(v.m.RemoveLibraryItemUpdateSessionFile(v.ctx, session, file.Name))
		}
		equal("files left in the session", len(get(v.m.ListLibraryItemUpdateSessionFile(v.ctx, session))), 0)
		v.push(session, "same", content(3, 300))
		v.complete(session)
		do(v.m.DeleteLibraryItemUpdateSession(v.ctx, session))
		equal("files", v.names(item), []string{"same"})
		v.assertContent(item, "same", content(3, 300))
	})
	v.check("change: an item that has lost all files is empty", func() {
		item := v.newItem()
		v.store(item, map[string][]byte{"a": content(1, 100)})
		session := v.newSession(item)
		do(v.m.RemoveLibraryItemUpdateSessionFile(v.ctx, session, "a"))
		v.complete(session)
		equal("files", v.names(item), []string{})
		equal("size", v.item(item).Size, int64(0))
	})
	v.check("change: a file that was only declared is removed, and no longer missed", func() {
		item, session := v.newUpload()
		v.push(session, "a", content(1, 100))
		to := v.add(session, library.UpdateFile{Name: "b"})
		do(v.m.RemoveLibraryItemUpdateSessionFile(v.ctx, session, "b"))
		notUploaded(v.upload(to, content(2, 10)), `4\d\d`)
		v.complete(session)
		equal("files", v.names(item), []string{"a"})
	})
	v.check("change: a file that is declared again is one file, and its old upload endpoint of no use", func() {
		item, session := v.newUpload()
		old := v.add(session, library.UpdateFile{Name: "a", Size: 100})
		to := v.add(session, library.UpdateFile{Name: "a", Size: 200})
		that(old.String() != to.String(), "the endpoint is the same")
		notUploaded(v.upload(old, content(1, 100)), `4\d\d`)
		do(v.upload(to, content(2, 200)))
		equal("files in the session", len(get(v.m.ListLibraryItemUpdateSessionFile(v.ctx, session))), 1)
		v.complete(session)
		v.assertContent(item, "a", content(2, 200))
	})
}

func (v *verifier) checkPushRefusals() {
	add := func(session string, file library.UpdateFile) error {
		return errorOf(v.m.AddLibraryItemFile(v.ctx, session, file))
	}
	v.check("push: a session whose file has not come is not completed, names it, and goes on", func() {
		item, session := v.newUpload()
		v.push(session, "here.iso", content(1, 10))
		to := v.add(session, library.UpdateFile{Name: "missing.iso"})
		validation := get(v.m.ValidateLibraryItemUpdateSessionFile(v.ctx, session))
		that(validation.HasErrors, "it is valid")
		equal("missing files", validation.MissingFiles, []string{"missing.iso"})
		message := refused(v.m.CompleteLibraryItemUpdateSession(v.ctx, session), "not_allowed_in_current_state")
		equal("the id of the message", message.ID, "com.vmware.vdcs.cls-main.update_session_file_not_received")
		equal("its arguments", message.Args, []string{"missing.iso", "WAITING_FOR_TRANSFER"})
		equal("state", v.session(session).State, "ACTIVE")
		equal("files of the item", v.names(item), []string{})
		do(v.upload(to, content(2, 20)))
		v.complete(session)
		equal("files of the item", v.names(item), []string{"here.iso", "missing.iso"})
	})
	v.check("push: a file of no source has nowhere to be sent to, and is missed until it has one", func() {
		_, session := v.newUpload()
		ignored := &library.TransferEndpoint{URI: "http://example.com/a"}
		info := get(v.m.AddLibraryItemFile(v.ctx, session, library.UpdateFile{Name: "a", SourceType: "NONE", SourceEndpoint: ignored}))
		equal("source type and status", []string{info.SourceType, info.Status}, []string{"NONE", "WAITING_FOR_TRANSFER"})
		that(info.UploadEndpoint == nil && info.SourceEndpoint == nil, "it has an endpoint: %s", show(info))
		refused(v.m.CompleteLibraryItemUpdateSession(v.ctx, session), "not_allowed_in_current_state")
		v.push(session, "a", content(1, 10))
		v.complete(session)
	})
	v.check("push: a file name that is empty or leads elsewhere is an invalid argument", func() {
		_, session := v.newUpload()
		for _, name := range []string{"", ".", "..", "a/b", "../a", `a\b`, "a\x00b", "a\nb"} {
			refused(add(session, library.UpdateFile{Name: name, SourceType: "PUSH"}), "invalid_argument")
		}
		equal("files", len(get(v.m.ListLibraryItemUpdateSessionFile(v.ctx, session))), 0)
	})
	v.check("push: a source type, a checksum or an algorithm that is none is an invalid argument", func() {
		_, session := v.newUpload()
		refused(add(session, library.UpdateFile{Name: "a", SourceType: "BOGUS"}), "invalid_argument")
		refused(add(session, library.UpdateFile{Name: "a"}), "invalid_argument")
		for _, sum := range []library.Checksum{
			{Algorithm: "CRC32", Checksum: "00000000"}, {Algorithm: "MD5", Checksum: "abc"}, {Algorithm: "SHA1", Checksum: digest("MD5", nil)}, {Checksum: "not hexadecimal"},
		} {
			refused(add(session, library.UpdateFile{Name: "a", SourceType: "PUSH", Checksum: &sum}), "invalid_argument")
		}
		equal("files", len(get(v.m.ListLibraryItemUpdateSessionFile(v.ctx, session))), 0)
	})
	v.check("push: a file that the session does not have is an invalid argument", func() {
		_, session := v.newUpload()
		refused(errorOf(v.m.GetLibraryItemUpdateSessionFile(v.ctx, session, "a")), "invalid_argument")
		refused(v.m.RemoveLibraryItemUpdateSessionFile(v.ctx, session, "a"), "invalid_argument")
	})
	v.check("push: an upload endpoint is of no use once the session has ended, nor one that was tampered with", func() {
		for _, end := range []func(id string) error{
			func(id string) error { return v.m.CompleteLibraryItemUpdateSession(v.ctx, id) },
			func(id string) error { return v.m.CancelLibraryItemUpdateSession(v.ctx, id) },
		} {
			item, session := v.newUpload()
			to := v.add(session, library.UpdateFile{Name: "a"})
			do(v.upload(to, content(1, 10)))
			notUploaded(v.upload(tampered(to), content(2, 20)), `4\d\d`)
			do(end(session))
			files := v.names(item)
			notUploaded(v.upload(to, content(3, 30)), `4\d\d`)
			equal("files", v.names(item), files)
		}
	})
	v.check("push: an upload endpoint takes no other method for an upload", func() {
		_, session := v.newUpload()
		to := v.add(session, library.UpdateFile{Name: "a"})
		err := v.m.Upload(v.ctx, http.NoBody, to, &soap.Upload{Method: http.MethodDelete, Type: "text/plain"})
		notUploaded(err, "405")
	})
}

// tampered is the same URL but for a character of its token.
func tampered(url *url.URL) *url.URL {
	other, path := *url, []byte(url.Path)
	at := len(path) - 20
	if path[at] == 'x' {
		path[at] = 'y'
	} else {
		path[at] = 'x'
	}
	other.Path = string(path)
	return &other
}
