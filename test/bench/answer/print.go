package main

import (
	"fmt"
	"time"

	"whatsappnode/test/bench/report"
)

func ms(d time.Duration) float64 { return report.Milliseconds(d) }

// disturbance is the share of a core that other processes may use unmentioned.
const disturbance = 0.03

func (r *results) printFloors() {
	fmt.Print("\nthe vendors alone, ms       sequential  measured  by the sentence  limit\n")
	for _, f := range r.Floors {
		fmt.Printf("  %-5s question             %9.0f %9.0f %16.0f %6.0f\n", f.Kind, ms(f.Sequential), ms(f.Measured), ms(f.BySentence), ms(f.Limit))
	}
}

func printTurnsHead(title, load string) {
	fmt.Printf("\n%s\n", title)
	fmt.Printf("         %6s  turns |    p50     p99   p99.9     max ms | sequential by sent. limit ms | times sequential by sent. limit | above by sent. p50     p99 ms\n", load)
}

// orDash is a number, or a dash where there is none.
func orDash(format string, width int, d time.Duration, known bool) string {
	if !known {
		return fmt.Sprintf("%*s", width, "-")
	}
	return fmt.Sprintf(format, width, ms(d))
}

func (t turns) print(load int) {
	ratio := func(floor time.Duration) float64 { return float64(t.Took.P50) / float64(floor) }
	fmt.Printf("  %-5s  %6d %6d | %6.0f %s %s %7.0f    | %10.0f %8.0f %5.0f    | %16.3f %8.3f %5.3f | %18.1f %s\n",
		t.Kind, load, t.Took.N, ms(t.Took.P50), orDash("%*.0f", 7, t.Took.P99, t.Took.P99 > 0), orDash("%*.0f", 7, t.Took.P999, t.Took.P999 > 0), ms(t.Took.Max),
		ms(t.Floors.Sequential), ms(t.Floors.BySentence), ms(t.Floors.Limit),
		ratio(t.Floors.Sequential), ratio(t.Floors.BySentence), ratio(t.Floors.Limit),
		ms(t.above(t.Took.P50)), orDash("%*.1f", 7, t.above(t.Took.P99), t.Took.P99 > 0))
	fmt.Printf("         bot: %.1f answers/s, %.2f ms CPU a turn (core %.0f %% busy); webhooks acknowledged p50 %.2f, p99 %s, max %.2f ms, %d delivered again; %d connections to vendors\n",
		t.AnswersPerSecond, ms(t.CPU), 100*t.BotBusy, ms(t.Ack.P50), orDash("%*.2f", 0, t.Ack.P99, t.Ack.P99 > 0), ms(t.Ack.Max), t.Refused, t.Connections)
	fmt.Printf("         a turn asked the model %.2f, the voice %.2f (%.0f characters), the ear %.2f times; %.2f uploads of %.0f kB\n",
		t.Model, t.Voice, t.Chars, t.Ear, t.Upload, t.NoteBytes/1000)
	fmt.Printf("         bench: fakes late by p50 %.2f, p99 %s, max %.2f ms; questions late by p50 %.2f, max %.2f ms (core %.0f %% busy)\n",
		ms(t.Late.P50), orDash("%*.2f", 0, t.Late.P99, t.Late.P99 > 0), ms(t.Late.Max), ms(t.Asked.P50), ms(t.Asked.Max), 100*t.BenchBusy)
	if s := t.Strangers; s[0] > disturbance || s[1] > disturbance {
		fmt.Printf("         DISTURBED: other processes used %.0f %% of the bot's core and %.0f %% of the bench's\n", 100*s[0], 100*s[1])
	}
	if err := t.sound(); err != nil {
		fmt.Printf("         NOT SOUND: %v\n", err)
	}
}
