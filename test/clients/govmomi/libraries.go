package main

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vapi/library/finder"
)

// Ids that look like those of the server, of nothing.
const nothing = "5f2c7f4e-9b11-4c7a-8f6e-0d9a3b1c2d4e"

func some(text string) *string {
	return &text
}

func (v *verifier) checkLibraries() {
	v.check("library: one that is made is found as it was described", func() {
		backings := []library.StorageBacking{{Type: "DATASTORE", DatastoreID: "datastore-15"}}
		described := library.Library{Name: v.name("Éléments"), Description: some("of a check"), Type: "LOCAL", Storage: backings}
		id := get(v.m.CreateLibrary(v.ctx, described))
		found := get(v.m.GetLibraryByID(v.ctx, id))
		equal("id", found.ID, id)
		equal("name", found.Name, described.Name)
		equal("description", *found.Description, "of a check")
		equal("type", found.Type, "LOCAL")
		equal("backings", found.Storage, backings)
		that(found.Version != "", "it has no version")
		that(found.CreationTime != nil && time.Since(*found.CreationTime) < 10*time.Minute, "created at %v", found.CreationTime)
		that(found.LastModifiedTime != nil && !found.LastModifiedTime.Before(*found.CreationTime), "modified at %v", found.LastModifiedTime)
		equal("by its name", get(v.m.GetLibraryByName(v.ctx, described.Name)).ID, id)
	})
	v.check("library: a list has the new one and not one that was deleted", func() {
		before := get(v.m.ListLibraries(v.ctx))
		id := v.newLibrary(v.m)
		that(!slices.Contains(before, id), "it was there before")
		that(slices.Contains(get(v.m.ListLibraries(v.ctx)), id), "it is not listed")
		ids := []string{}
		for _, l := range get(v.m.GetLibraries(v.ctx)) {
			ids = append(ids, l.ID)
		}
		that(slices.Contains(ids, id), "it is not among all libraries")
		do(v.m.DeleteLibrary(v.ctx, &library.Library{ID: id, Type: "LOCAL"}))
		that(!slices.Contains(get(v.m.ListLibraries(v.ctx)), id), "it is still listed")
		statusIs(errorOf(v.m.GetLibraryByID(v.ctx, id)), http.StatusNotFound)
	})
	v.check("library: find goes by name in any case, and by type", func() {
		name := v.name("Mixed Case")
		id := get(v.m.CreateLibrary(v.ctx, library.Library{Name: name, Type: "LOCAL", Storage: []library.StorageBacking{{Type: "OTHER", StorageURI: "file:///srv/x"}}}))
		for _, search := range []library.Find{{Name: name}, {Name: strings.ToUpper(name)}, {Name: name, Type: "LOCAL"}} {
			equal("found", get(v.m.FindLibrary(v.ctx, search)), []string{id})
		}
		that(slices.Contains(get(v.m.FindLibrary(v.ctx, library.Find{Type: "LOCAL"})), id), "it is not found by its type")
		for _, search := range []library.Find{{Name: name + "x"}, {Name: name, Type: "SUBSCRIBED"}} {
			equal("found", len(get(v.m.FindLibrary(v.ctx, search))), 0)
		}
	})
	v.check("library: an update changes what it names, and the version", func() {
		id := v.newLibrary(v.m)
		before := get(v.m.GetLibraryByID(v.ctx, id))
		patch := library.Library{ID: id}
		patch.Patch(&library.Library{Description: some("changed")})
		do(v.m.UpdateLibrary(v.ctx, &patch))
		after := get(v.m.GetLibraryByID(v.ctx, id))
		equal("name", after.Name, before.Name)
		equal("description", *after.Description, "changed")
		that(after.Version != before.Version, "the version is still %s", after.Version)
		name := v.name("renamed")
		do(v.m.UpdateLibrary(v.ctx, &library.Library{ID: id, Name: name}))
		equal("by the new name", get(v.m.GetLibraryByName(v.ctx, name)).ID, id)
	})
	v.check("library: one with an item under work is deleted by force", func() {
		id := v.newLibrary(v.m)
		item := get(v.m.CreateLibraryItem(v.ctx, library.Item{Name: "under work", LibraryID: id, Type: "iso"}))
		session := v.newSession(item)
		v.push(session, "a.iso", content(1, 1000))
		do(v.m.ForceDeleteLibrary(v.ctx, &library.Library{ID: id, Type: "LOCAL"}))
		statusIs(errorOf(v.m.GetLibraryByID(v.ctx, id)), http.StatusNotFound)
		statusIs(errorOf(v.m.GetLibraryItem(v.ctx, item)), http.StatusNotFound)
	})
}

func (v *verifier) checkLibraryRefusals() {
	other := []library.StorageBacking{{Type: "OTHER", StorageURI: "file:///srv/x"}}
	v.check("library: one without a name is an invalid argument", func() {
		refused(errorOf(v.m.CreateLibrary(v.ctx, library.Library{Type: "LOCAL", Storage: other})), "invalid_argument")
	})
	v.check("library: one over several backings is unsupported", func() {
		two := library.Library{Name: v.name("two"), Type: "LOCAL", Storage: append(other, other...)}
		refused(errorOf(v.m.CreateLibrary(v.ctx, two)), "unsupported")
	})
	v.check("library: one of another server's is refused and not made", func() {
		name := v.name("subscribed")
		subscription := &library.Subscription{AuthenticationMethod: "NONE", SubscriptionURL: "http://example.com/lib.json"}
		refused(errorOf(v.m.CreateLibrary(v.ctx, library.Library{
			Name: name, Type: "SUBSCRIBED", Storage: other, Subscription: subscription,
		})), "unsupported")
		equal("found", len(get(v.m.FindLibrary(v.ctx, library.Find{Name: name}))), 0)
	})
	v.check("library: an empty search is an invalid argument", func() {
		refused(errorOf(v.m.FindLibrary(v.ctx, library.Find{})), "invalid_argument")
	})
	v.check("library: an id of nothing is 404 for everything that takes one", func() {
		gone := &library.Library{ID: nothing, Type: "LOCAL", Name: "x"}
		statusIs(errorOf(v.m.GetLibraryByID(v.ctx, nothing)), http.StatusNotFound)
		statusIs(v.m.UpdateLibrary(v.ctx, gone), http.StatusNotFound)
		statusIs(v.m.DeleteLibrary(v.ctx, gone), http.StatusNotFound)
		statusIs(v.m.ForceDeleteLibrary(v.ctx, gone), http.StatusNotFound)
		statusIs(errorOf(v.m.ListLibraryItems(v.ctx, nothing)), http.StatusNotFound)
		that(errorOf(v.m.GetLibraryItems(v.ctx, nothing)) != nil, "it has items")
	})
}

func (v *verifier) checkFinder() {
	v.check("finder: libraries, items and files are found by paths, with and without wildcards", func() {
		lib := get(v.m.GetLibraryByID(v.ctx, v.newLibrary(v.m)))
		item := get(v.m.CreateLibraryItem(v.ctx, library.Item{Name: "disks", LibraryID: lib.ID, Type: "iso"}))
		v.store(item, map[string][]byte{"one (1).vmdk": content(1, 10), "two.vmdk": content(2, 20)})
		paths := map[string][]string{
			lib.Name:                               {"/" + lib.Name},
			"/" + lib.Name + "/disks":              {"/" + lib.Name + "/disks"},
			"/" + lib.Name + "/d*/*.vmdk":          {"/" + lib.Name + "/disks/one (1).vmdk", "/" + lib.Name + "/disks/two.vmdk"},
			"/" + lib.Name + "/disks/one (1).vmdk": {"/" + lib.Name + "/disks/one (1).vmdk"},
			"/" + lib.Name + "/none":               {},
		}
		for path, want := range paths {
			found := []string{}
			for _, result := range get(finder.NewFinder(v.m).Find(v.ctx, path)) {
				found = append(found, result.GetPath())
			}
			slices.Sort(found)
			equal("found by "+path, found, want)
		}
	})
}
