package main

import (
	"fmt"
	"sync/atomic"
	"time"

	"whatsappnode/test/chaos/rig"
	"whatsappnode/test/simulator"
)

// people is how many write during the load.
const people = 500

// issued numbers the messages of a run, so that none is a duplicate.
var issued atomic.Int64

// request is one webhook POST as it goes over the wire: a text message in the shape
// Meta sends to a number whose users have user ids (Meta, "Messages webhooks
// reference"), signed.
func request(addr string, person int) []byte {
	n := issued.Add(1)
	phone, user := fmt.Sprintf("346001%05d", person), fmt.Sprintf("ES.9%012d", person)
	body := fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"109900112233445","changes":[{"value":{"messaging_product":"whatsapp",`+
		`"metadata":{"display_phone_number":"15550100200","phone_number_id":"%s"},"contacts":[{"profile":{"name":"User"},"wa_id":"%s","user_id":"%s"}],`+
		`"messages":[{"from":"%s","from_user_id":"%s","id":"wamid.HBgLMzQ2MDAxMDAwMDAVAgASGBQzQUJFTkNI%012d","timestamp":"%d","type":"text","text":{"body":"How late are you open today?"}}]},"field":"messages"}]}]}`,
		rig.NumberID, phone, user, phone, user, n, time.Now().Unix())
	return fmt.Appendf(make([]byte, 0, len(body)+256), "POST /webhook HTTP/1.1\r\nHost: %s\r\nUser-Agent: facebookexternalua\r\nContent-Type: application/json\r\nX-Hub-Signature-256: %s\r\nContent-Length: %d\r\n\r\n%s",
		addr, simulator.Sign(rig.AppSecret, body), len(body), body)
}

// requests are n webhooks of all people in turn.
func requests(addr string, n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = request(addr, i%people)
	}
	return out
}
