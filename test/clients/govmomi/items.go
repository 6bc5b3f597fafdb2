package main

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/vmware/govmomi/vapi/library"
)

func (v *verifier) checkItems() {
	v.check("item: one that is made is found as it was described, at version 1 and empty", func() {
		described := library.Item{Name: v.name("Ubuntu 24.04 (amd64)"), Description: some("für alle"), LibraryID: v.library, Type: "iso"}
		id := get(v.m.CreateLibraryItem(v.ctx, described))
		found := v.item(id)
		equal("id", found.ID, id)
		equal("name", found.Name, described.Name)
		equal("description", *found.Description, "für alle")
		equal("library", found.LibraryID, v.library)
		equal("type", found.Type, "iso")
		equal("versions", []string{found.ContentVersion, found.MetadataVersion, found.Version}, []string{"1", "1", "1"})
		equal("size", found.Size, int64(0))
		that(found.CreationTime != nil && time.Since(*found.CreationTime) < 10*time.Minute, "created at %v", found.CreationTime)
		that(found.LastModifiedTime != nil, "there is no time of its last change")
		equal("files", v.names(id), []string{})
		equal("storage", len(get(v.m.ListLibraryItemStorage(v.ctx, id))), 0)
	})
	v.check("item: a list has the new one and not one that was deleted", func() {
		lib := v.newLibrary(v.m)
		equal("items of a new library", len(get(v.m.ListLibraryItems(v.ctx, lib))), 0)
		id := get(v.m.CreateLibraryItem(v.ctx, library.Item{Name: "a", LibraryID: lib, Type: "iso"}))
		equal("items", get(v.m.ListLibraryItems(v.ctx, lib)), []string{id})
		equal("all items", get(v.m.GetLibraryItems(v.ctx, lib))[0].Name, "a")
		do(v.m.DeleteLibraryItem(v.ctx, &library.Item{ID: id}))
		equal("items after the deletion", len(get(v.m.ListLibraryItems(v.ctx, lib))), 0)
		statusIs(errorOf(v.m.GetLibraryItem(v.ctx, id)), http.StatusNotFound)
	})
	v.check("item: find goes by name and type in any case, and by library", func() {
		name := v.name("Disk Image")
		id := get(v.m.CreateLibraryItem(v.ctx, library.Item{Name: name, LibraryID: v.library, Type: "OVF"}))
		cached := true
		for _, search := range []library.FindItem{
			{Name: name}, {Name: strings.ToLower(name), Type: "ovf"}, {Name: name, LibraryID: v.library}, {Name: name, Cached: &cached},
		} {
			equal("found", get(v.m.FindLibraryItems(v.ctx, search)), []string{id})
		}
		that(slices.Contains(get(v.m.FindLibraryItems(v.ctx, library.FindItem{LibraryID: v.library})), id), "not found by its library")
		for _, search := range []library.FindItem{{Name: name + "x"}, {Name: name, Type: "iso"}, {Name: name, LibraryID: v.newLibrary(v.m)}} {
			equal("found", len(get(v.m.FindLibraryItems(v.ctx, search))), 0)
		}
	})
	v.check("item: an update changes what it names and the metadata's version, not the content's", func() {
		id := v.newItem()
		before := v.item(id)
		patch := library.Item{ID: id}
		patch.Patch(&library.Item{Description: some("changed")})
		do(v.m.UpdateLibraryItem(v.ctx, &patch))
		after := v.item(id)
		equal("name", after.Name, before.Name)
		equal("description", *after.Description, "changed")
		equal("metadata and content versions", []string{after.MetadataVersion, after.ContentVersion}, []string{"2", "1"})
		that(after.Version != before.Version, "its version is still %s", after.Version)
		name := v.name("renamed")
		do(v.m.UpdateLibraryItem(v.ctx, &library.Item{ID: id, Name: name}))
		equal("found by the new name", get(v.m.FindLibraryItems(v.ctx, library.FindItem{Name: name})), []string{id})
		equal("found by the old name", len(get(v.m.FindLibraryItems(v.ctx, library.FindItem{Name: before.Name}))), 0)
	})
	v.check("item: a copy has the files of the first, and stays as it is when that changes", func() {
		first := v.newItem()
		one, two := content(1, 100_000), content(2, 0)
		v.store(first, map[string][]byte{"one.iso": one, "empty (2).iso": two})
		name := v.name("copy")
		second := get(v.m.CopyLibraryItem(v.ctx, &library.Item{ID: first}, library.Item{Name: name, LibraryID: v.newLibrary(v.m)}))
		copied := v.item(second)
		equal("name and type", []string{copied.Name, copied.Type}, []string{name, "iso"})
		equal("files", v.names(second), []string{"empty (2).iso", "one.iso"})
		v.store(first, map[string][]byte{"one.iso": content(3, 10)})
		v.assertContent(second, "one.iso", one)
		v.assertContent(second, "empty (2).iso", two)
	})
}

func (v *verifier) checkItemRefusals() {
	create := func(item library.Item) error { return errorOf(v.m.CreateLibraryItem(v.ctx, item)) }
	v.check("item: a name that the library has already is refused, with the ids to find it by", func() {
		name := v.name("twice")
		get(v.m.CreateLibraryItem(v.ctx, library.Item{Name: name, LibraryID: v.library, Type: "iso"}))
		message := refused(create(library.Item{Name: name, LibraryID: v.library, Type: "iso"}), "already_exists")
		equal("the id of the message", message.ID, "com.vmware.vdcs.cls-main.duplicate_item_name_unsupported_in_library")
		that(slices.Contains(message.Args, name) && slices.Contains(message.Args, v.library), "its arguments are %v", message.Args)
		get(v.m.CreateLibraryItem(v.ctx, library.Item{Name: name, LibraryID: v.newLibrary(v.m), Type: "iso"}))
		another := v.newItem()
		refused(v.m.UpdateLibraryItem(v.ctx, &library.Item{ID: another, Name: name}), "already_exists")
		copied := library.Item{Name: name, LibraryID: v.library}
		refused(errorOf(v.m.CopyLibraryItem(v.ctx, &library.Item{ID: another}, copied)), "already_exists")
	})
	v.check("item: a name of no or more than 80 characters, or a description of more than 2000, is an invalid argument", func() {
		refused(create(library.Item{LibraryID: v.library, Type: "iso"}), "invalid_argument")
		refused(create(library.Item{Name: strings.Repeat("n", 81), LibraryID: v.library}), "invalid_argument")
		long := library.Item{Name: v.name("long"), LibraryID: v.library, Description: some(strings.Repeat("d", 2001))}
		refused(create(long), "invalid_argument")
		long.Name = v.name(strings.Repeat("n", 60))
		long.Name += strings.Repeat("n", 80-len(long.Name))
		long.Description = some(strings.Repeat("d", 2000))
		do(create(long))
	})
	v.check("item: an empty search is an invalid argument", func() {
		refused(errorOf(v.m.FindLibraryItems(v.ctx, library.FindItem{})), "invalid_argument")
	})
	v.check("item: an id of nothing is 404 for everything that takes one", func() {
		gone := &library.Item{ID: nothing, Name: "x"}
		statusIs(create(library.Item{Name: "x", LibraryID: nothing}), http.StatusNotFound)
		statusIs(errorOf(v.m.GetLibraryItem(v.ctx, nothing)), http.StatusNotFound)
		statusIs(v.m.UpdateLibraryItem(v.ctx, gone), http.StatusNotFound)
		statusIs(v.m.DeleteLibraryItem(v.ctx, gone), http.StatusNotFound)
		statusIs(errorOf(v.m.CopyLibraryItem(v.ctx, gone, library.Item{Name: "x", LibraryID: v.library})), http.StatusNotFound)
		statusIs(errorOf(v.m.ListLibraryItemFiles(v.ctx, nothing)), http.StatusNotFound)
		statusIs(errorOf(v.m.GetLibraryItemFile(v.ctx, nothing, "a")), http.StatusNotFound)
		statusIs(errorOf(v.m.ListLibraryItemStorage(v.ctx, nothing)), http.StatusNotFound)
		statusIs(errorOf(v.m.GetLibraryItemStorage(v.ctx, nothing, "a")), http.StatusNotFound)
	})
}

func (v *verifier) checkItemFiles() {
	v.check("item file: listed and got alike, with size and version, and where it is stored", func() {
		item := v.newItem()
		name, bytes := "größe=1 (2).iso", content(4, 12_345)
		v.store(item, map[string][]byte{name: bytes, "b": content(5, 1)})
		equal("files", v.names(item), []string{"b", name})
		equal("the size of the item", v.item(item).Size, int64(12_346))
		file := get(v.m.GetLibraryItemFile(v.ctx, item, name))
		equal("name", file.Name, name)
		equal("size", *file.Size, int64(len(bytes)))
		equal("version", file.Version, "1")
		that(file.Cached != nil && *file.Cached, "it is not cached")
		stored := get(v.m.GetLibraryItemStorage(v.ctx, item, name))
		equal("places", len(stored), 1)
		equal("stored name", stored[0].Name, name)
		equal("stored size", stored[0].Size, int64(len(bytes)))
		equal("stored version", stored[0].Version, "1")
		equal("backing", stored[0].StorageBacking.Type, "OTHER")
		equal("all places", len(get(v.m.ListLibraryItemStorage(v.ctx, item))), 2)
	})
	v.check("item file: one that is not there is 404", func() {
		item := v.newItem()
		v.store(item, map[string][]byte{"a": content(1, 1)})
		statusIs(errorOf(v.m.GetLibraryItemFile(v.ctx, item, "b")), http.StatusNotFound)
		statusIs(errorOf(v.m.GetLibraryItemStorage(v.ctx, item, "b")), http.StatusNotFound)
	})
}
