package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The gateway's address holds its key, and what Send returns is logged.
func TestAnSMSGatewaysErrorsDoNotRepeatItsAddress(t *testing.T) {
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer busy.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, base := range []string{busy.URL, gone.URL, "http://127.0.0.1:none", "nothing://sms.example.com"} {
		err := smsGateway{base + "/send?key=keyOfTheGateway"}.Send(t.Context(), "+12223334444", "Shop: your verification code is 314159")
		if err == nil {
			t.Fatalf("%s took the message", base)
		}
		for _, secret := range []string{"keyOfTheGateway", "314159"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error repeats %s: %v", secret, err)
			}
		}
	}
}
