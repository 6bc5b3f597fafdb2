package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vapi/rest"
	"github.com/vmware/govmomi/vim25/soap"
)

type signer struct{}

// SignRequest shows what a token of another server's looks like.
func (signer) SignRequest(req *http.Request) error {
	req.Header.Set("Authorization", `SIGN token="somebody else's"`)
	return nil
}

func (v *verifier) checkLogins() {
	userinfo := url.UserPassword(v.user.name, v.user.password)
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(v.user.name+":"+v.user.password))

	v.check("login: a wrong password is refused with 401", func() {
		wrong := url.UserPassword(v.user.name, v.user.password+"x")
		statusIs(v.openClient(v.trust()).Login(v.ctx, wrong), http.StatusUnauthorized)
	})
	v.check("login: without a password, or with somebody else's token, it is refused with 401", func() {
		client := v.openClient(v.trust())
		statusIs(client.LoginByToken(v.ctx), http.StatusUnauthorized)
		statusIs(client.LoginByToken(client.WithSigner(v.ctx, signer{})), http.StatusUnauthorized)
	})
	v.check("login: before it there is no session, and nothing else can be asked for", func() {
		client := v.openClient(v.trust())
		equal("the session", get(client.Session(v.ctx)), (*rest.Session)(nil))
		statusIs(errorOf(library.NewManager(client).ListLibraries(v.ctx)), http.StatusUnauthorized)
	})
	v.check("login: the session tells the user and when it was made and last used", func() {
		client := v.openClient(v.trust())
		do(client.Login(v.ctx, userinfo))
		session := get(client.Session(v.ctx))
		that(session != nil, "there is no session")
		equal("the user", session.User, v.user.name)
		age := time.Since(session.Created)
		that(age > -time.Minute && age < 10*time.Minute, "it was created at %v", session.Created)
		that(!session.LastAccessed.Before(session.Created), "it was used at %v, before %v", session.LastAccessed, session.Created)
	})
	v.check("login: a password in a header of one's own is as good", func() {
		client := v.openClient(v.trust())
		do(client.LoginByToken(client.WithHeader(v.ctx, http.Header{"Authorization": {basic}})))
		that(get(client.Session(v.ctx)) != nil, "there is no session")
	})
	v.check("login: the id of a session lets another client in, set or as a header", func() {
		id := v.m.SessionID()
		client := v.openClient(v.trust())
		header := http.Header{"Vmware-Api-Session-Id": {id}}
		that(get(client.Session(client.WithHeader(v.ctx, header))) != nil, "there is no session by the header")
		client.SessionID(id)
		get(library.NewManager(client).ListLibraries(v.ctx))
	})
	v.check("login: a client that was written down and read back goes on", func() {
		server := get(url.Parse(v.url))
		var client rest.Client
		do(json.Unmarshal(get(json.Marshal(v.m.Client)), &client))
		that(client.Valid(), "it is not valid")
		if v.ca != "" {
			do(client.SetRootCAs(v.ca))
		}
		equal("its URL", client.URL().Host, server.Host)
		that(get(client.Session(v.ctx)) != nil, "there is no session")
	})
	v.check("logout: ends the session and no other", func() {
		client := v.openClient(v.trust())
		do(client.Login(v.ctx, userinfo))
		do(client.Logout(v.ctx))
		equal("the session", get(client.Session(v.ctx)), (*rest.Session)(nil))
		statusIs(errorOf(library.NewManager(client).ListLibraries(v.ctx)), http.StatusUnauthorized)
		statusIs(client.Logout(v.ctx), http.StatusUnauthorized)
		that(get(v.m.Session(v.ctx)) != nil, "another session is gone")
	})
	if strings.HasPrefix(v.url, "https:") {
		v.checkServerTrust(userinfo)
	}
}

func (v *verifier) checkServerTrust(userinfo *url.Userinfo) {
	v.check("TLS: a client that trusts nobody does not get in", func() {
		err := v.openClient(trust{}).Login(v.ctx, userinfo)
		that(soap.IsCertificateUntrusted(err), "it was let in, or kept out for another reason: %v", err)
	})
	v.check("TLS: a client that knows the thumbprint of the server gets in", func() {
		res := get(v.m.Client.Client.Head(v.url))
		that(res.TLS != nil, "it is not TLS")
		do(res.Body.Close())
		client := v.openClient(trust{thumbprint: soap.ThumbprintSHA1(res.TLS.PeerCertificates[0])})
		do(client.Login(v.ctx, userinfo))
	})
}
