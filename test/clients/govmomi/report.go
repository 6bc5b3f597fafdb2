package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/vmware/govmomi/vapi/rest"
)

// report counts checks and prints a line for each.
type report struct{ failed int }

// failure is what a check panics with.
type failure struct{ why string }

func fail(format string, args ...any) {
	panic(failure{fmt.Sprintf(format, args...)})
}

func (r *report) check(title string, run func()) {
	why := reasonOf(run)
	if why == "" {
		fmt.Printf("ok %s\n", title)
		return
	}
	r.failed++
	fmt.Printf("FAIL %s:\t%s\n", title, strings.ReplaceAll(why, "\n", " | "))
}

func reasonOf(run func()) (why string) {
	defer func() {
		switch problem := recover().(type) {
		case nil:
		case failure:
			why = problem.why
		default:
			why = fmt.Sprintf("panic: %v\n%s", problem, debug.Stack())
		}
	}()
	run()
	return ""
}

// do fails the check with an error.
func do(err error) {
	if err != nil {
		fail("unexpected error: %v", err)
	}
}

// get answers the value, or fails the check with the error.
func get[T any](value T, err error) T {
	do(err)
	return value
}

// errorOf answers the error of a call whose value does not matter.
func errorOf[T any](_ T, err error) error {
	return err
}

func equal(what string, got, want any) {
	if !reflect.DeepEqual(got, want) {
		fail("%s is %v, not %v", what, show(got), show(want))
	}
}

func that(holds bool, format string, args ...any) {
	if !holds {
		fail(format, args...)
	}
}

func show(value any) string {
	text := fmt.Sprintf("%+v", value)
	if len(text) > 300 {
		return text[:300] + "..."
	}
	return text
}

// refused answers the first message of a refusal of this type, as a status of 400 carries it.
func refused(err error, kind string) rest.LocalizableMessage {
	that(err != nil, "it was not refused")
	body, ok := strings.CutPrefix(err.Error(), "400 Bad Request: ")
	that(ok, "it was not refused with a body: %v", err)
	var said struct {
		Type  string `json:"type"`
		Value struct {
			Messages []rest.LocalizableMessage `json:"messages"`
		} `json:"value"`
	}
	do(json.Unmarshal([]byte(body), &said))
	equal("the type of the error ("+body+")", said.Type, "com.vmware.vapi.std.errors."+kind)
	that(len(said.Value.Messages) > 0, "it has no message")
	for _, message := range said.Value.Messages {
		that(message.ID != "" && message.DefaultMessage != "", "a message is empty: %s", body)
	}
	return said.Value.Messages[0]
}

// statusIs is for refusals of whose answer the client keeps the status alone.
func statusIs(err error, code int) {
	that(rest.IsStatusError(err, code), "it was not refused with %d: %v", code, err)
}

// notUploaded is for uploads, of whose answer the client keeps the status alone.
func notUploaded(err error, pattern string) {
	that(err != nil && regexp.MustCompile("^(?:"+pattern+") ").MatchString(err.Error()),
		"the upload was not refused with %s: %v", pattern, err)
}

// told answers the message that a session or a file carries, where the client makes an error of it.
func told(err error) rest.LocalizableMessage {
	var message *rest.LocalizableMessage
	that(errors.As(err, &message), "it tells no message: %v", err)
	that(message != nil && message.ID != "" && message.DefaultMessage != "", "its message is empty")
	return *message
}

func contains(what, text, part string) {
	that(strings.Contains(text, part), "%s does not tell %q: %s", what, part, text)
}

// until asks again until it holds: what the server does by itself takes as long as it takes.
func until(what string, holds func() bool) {
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		that(time.Now().Before(end), "it never came about that %s", what)
	}
}
