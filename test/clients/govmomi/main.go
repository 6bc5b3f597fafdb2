// Command govmomi drives a server through the published Go client of VMware's content library and tells, a line for
// each check, whether the client found what it may rely on. It brings the servers that content is pulled from with it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"
)

// settings say where the server is and who may do what there.
type settings struct {
	url  string
	ca   string
	user login
	// Somebody else of the same tenant, who may upload, but not read the server's folders.
	other login
	// A folder that file: sources may be read from.
	folder string
}

type login struct{ name, password string }

func main() {
	var s settings
	flag.StringVar(&s.url, "url", "", "the server, such as https://127.0.0.1:8080")
	flag.StringVar(&s.ca, "ca", "", "a PEM file with the authority of the server's certificate")
	flag.StringVar(&s.user.name, "user", "", "an administrator who may read the server's folders")
	flag.StringVar(&s.other.name, "other-user", "", "somebody who may upload, and no more")
	flag.StringVar(&s.folder, "folder", "", "a folder that file: sources may be read from")
	flag.Parse()
	s.user.password = os.Getenv("GOVMOMI_PASSWORD")
	s.other.password = os.Getenv("GOVMOMI_OTHER_PASSWORD")
	if s.url == "" || s.user.name == "" || s.other.name == "" || s.folder == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	failed, err := run(ctx, s)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil || failed > 0 {
		os.Exit(1)
	}
}

// run makes all checks and answers how many failed; the error is of what they all need.
func run(ctx context.Context, s settings) (int, error) {
	folder, err := os.MkdirTemp("", "govmomi-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(folder)
	v, err := prepare(ctx, s, folder)
	if err != nil {
		return 0, err
	}
	defer v.sources.close()
	v.checkLogins()
	v.checkLibraries()
	v.checkLibraryRefusals()
	v.checkItems()
	v.checkItemRefusals()
	v.checkItemFiles()
	v.checkUpdateSessions()
	v.checkUpdateSessionRefusals()
	v.checkPush()
	v.checkPushChanges()
	v.checkPushRepairs()
	v.checkPushRefusals()
	v.checkPull()
	v.checkPullInFlight()
	v.checkPullTrust()
	v.checkPullFailures()
	v.checkProbe()
	v.checkDownloads()
	v.checkDownloadRefusals()
	v.checkFinder()
	v.checkMethods()
	return v.failed, nil
}
