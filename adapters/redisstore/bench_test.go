package redisstore_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"whatsappnode/adapters/redisstore"
	"whatsappnode/domain"
	"whatsappnode/test/redisserver"
)

func bench(b *testing.B, server redisserver.Options, ack redisstore.Ack) *redisstore.Store {
	r := redisserver.Start(b, server)
	return open(b, redisstore.Options{URL: r.URL(), Ack: ack})
}

// BenchmarkAdmit measures durable admissions of people who are known, from 64
// callers, one message each.
func BenchmarkAdmit(b *testing.B) {
	for name, server := range map[string]redisserver.Options{
		"memory": {}, "everysec": {AppendOnly: true}, "always": {AppendOnly: true, AppendFsync: "always"},
	} {
		b.Run(name, func(b *testing.B) {
			s := bench(b, server, redisstore.AckMemory)
			const people = 1000
			for n := range people {
				admit(b, s, withPhone(text(n, "first"+strconv.Itoa(n)), domain.Phone(strconv.Itoa(34600000000+n))))
			}
			var next atomic.Int64
			b.SetParallelism(32) // times GOMAXPROCS, which is 2 on the reference machine
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					n := int(next.Add(1))
					m := withPhone(text(n%people, "HBgLMzQ2MDAxMTEyMjIVAgASGBQzQUFB"+strconv.Itoa(n)), domain.Phone(strconv.Itoa(34600000000+n%people)))
					if _, err := s.Admit(b.Context(), []domain.Message{m}); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "admits/s")
		})
	}
}

// BenchmarkWake measures from the call of Admit to the return of a Lease that waited,
// in the process that admits and in another one, with sixteen workers waiting.
func BenchmarkWake(b *testing.B) {
	for name, processes := range map[string]int{"same process": 0, "another process": 1, "four other processes": 4} {
		b.Run(name, func(b *testing.B) {
			r := redisserver.Start(b, redisserver.Options{})
			in := open(b, redisstore.Options{URL: r.URL()})
			leased := make(chan time.Time, 16)
			ctx, cancel := context.WithCancel(b.Context())
			ended := make(chan struct{}, 64)
			workers := 0
			serve := func(s *redisstore.Store) {
				for range 16 {
					workers++
					go func() {
						defer func() { ended <- struct{}{} }()
						for {
							w, err := s.Lease(ctx)
							if err != nil {
								return
							}
							at := time.Now()
							finish(b, s, w)
							leased <- at
						}
					}()
				}
			}
			if processes == 0 {
				serve(in)
			}
			for range processes {
				serve(open(b, redisstore.Options{URL: r.URL()}))
			}
			for n := range 50 { // people who are known, and connections that are open
				admit(b, in, text(n, "first"+strconv.Itoa(n)))
				<-leased
			}
			before := commands(b, r)
			var took []time.Duration
			b.ResetTimer()
			for n := range b.N {
				began := time.Now()
				admit(b, in, text(n%50, strconv.Itoa(n)))
				took = append(took, (<-leased).Sub(began))
			}
			b.StopTimer()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
			b.ReportMetric(float64(commands(b, r)-before)/float64(b.N), "commands/msg")
			cancel()
			for range workers {
				<-ended
			}
		})
	}
}

// commands is how many calls of scripts and commands the server has got from clients.
func commands(b *testing.B, r *redisserver.Server) int64 {
	var n int64
	for _, line := range strings.Fields(r.Must(b, "INFO", "stats")) {
		if v, ok := strings.CutPrefix(line, "total_commands_processed:"); ok {
			n, _ = strconv.ParseInt(v, 10, 64)
		}
	}
	return n
}
