package main

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// sources are the servers that content is pulled from: the same over http and over https.
type sources struct {
	mux    *http.ServeMux
	plain  *httptest.Server
	secure *httptest.Server
	// A PEM file with the certificate of the second.
	authority string
	count     int
}

func startSources(scratch string) *sources {
	mux := http.NewServeMux()
	s := &sources{mux: mux, plain: httptest.NewServer(mux), secure: httptest.NewUnstartedServer(mux)}
	// A client that breaks a handshake off is what some checks are about.
	s.secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.secure.StartTLS()
	s.authority = filepath.Join(scratch, "source.pem")
	do(os.WriteFile(s.authority, []byte(s.certificate()), 0o600))
	return s
}

func (s *sources) close() {
	for _, server := range []*httptest.Server{s.plain, s.secure} {
		server.CloseClientConnections()
		server.Close()
	}
}

func (s *sources) leaf() *x509.Certificate {
	return s.secure.Certificate()
}

func (s *sources) certificate() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.leaf().Raw}))
}

// thumbprint is the SHA-1 one, in upper-case pairs.
func (s *sources) thumbprint() string {
	sum := sha1.Sum(s.leaf().Raw)
	return pairs(hex.EncodeToString(sum[:]))
}

func (s *sources) thumbprint256() string {
	sum := sha256.Sum256(s.leaf().Raw)
	return pairs(hex.EncodeToString(sum[:]))
}

func pairs(digits string) string {
	var words []string
	for i := 0; i < len(digits); i += 2 {
		words = append(words, strings.ToUpper(digits[i:i+2]))
	}
	return strings.Join(words, ":")
}

// add answers the path of something that is served from now on.
func (s *sources) add(serve http.HandlerFunc) string {
	s.count++
	path := fmt.Sprintf("/source/%d/file.iso", s.count)
	s.mux.HandleFunc(path, serve)
	return path
}

// whole is content as a good server has it: with its length, and a validator to go on by.
func (s *sources) whole(content []byte) string {
	return s.add(func(w http.ResponseWriter, r *http.Request) { serveWhole(w, r, content) })
}

func serveWhole(w http.ResponseWriter, r *http.Request, content []byte) {
	w.Header().Set("ETag", `"one"`)
	http.ServeContent(w, r, "file.iso", time.Time{}, bytes.NewReader(content))
}

// unannounced is content whose length nobody tells beforehand.
func (s *sources) unannounced(content []byte) string {
	return s.add(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		_, _ = w.Write(content)
	})
}

// broken is content whose first transfer is cut half-way.
func (s *sources) broken(content []byte) string {
	cut := false
	return s.add(func(w http.ResponseWriter, r *http.Request) {
		if cut || r.Method == http.MethodHead {
			serveWhole(w, r, content)
			return
		}
		cut = true
		w.Header().Set("ETag", `"one"`)
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		_, _ = w.Write(content[:len(content)/2])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
}

// held is content of which the second half is kept back until it is released.
type held struct {
	path     string
	begun    chan struct{}
	released chan struct{}
	left     chan struct{}
}

func (s *sources) held(content []byte) held {
	h := held{begun: make(chan struct{}), released: make(chan struct{}), left: make(chan struct{})}
	h.path = s.add(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		if r.Method == http.MethodHead {
			return
		}
		_, _ = w.Write(content[:len(content)/2])
		w.(http.Flusher).Flush()
		close(h.begun)
		select {
		case <-h.released:
			_, _ = w.Write(content[len(content)/2:])
		case <-r.Context().Done():
			close(h.left)
		}
	})
	return h
}

func (s *sources) status(code int, body string) string {
	return s.add(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	})
}

func (s *sources) redirect(to string) string {
	return s.add(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) })
}

// after waits for an event for as long as anything may take.
func after(what string, event <-chan struct{}) {
	select {
	case <-event:
	case <-time.After(time.Minute):
		fail("it never came about that %s", what)
	}
}
