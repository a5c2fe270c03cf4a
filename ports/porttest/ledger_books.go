package porttest

import (
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

func (c *ledgerCase) book(day string, entries ...ports.Entry) {
	c.Helper()
	require.NoError(c, c.l.Book(c.ctx, day, entries))
}

func (c *ledgerCase) spending(days ...string) []ports.Entry {
	c.Helper()
	out, err := c.l.Spending(c.ctx, days)
	require.NoError(c, err)
	return out
}

// entry is one with every figure set.
func entry(number domain.NumberID, stage, vendor string) ports.Entry {
	return ports.Entry{Number: number, Expense: domain.Expense{
		Stage: stage, Vendor: vendor,
		Use: domain.Use{
			InputTokens: 1, OutputTokens: 2, Characters: 3, Heard: 1500 * time.Millisecond, Spoken: 2500 * time.Millisecond,
		},
		Calls: 4, Doubtful: 5, Unpriced: 6, Cost: 7, DoubtfulCost: 8,
	}}
}

func booksFigures(c *ledgerCase) {
	c.book(day, entry("106", "llm", "openai"))
	want := entry("106", "llm", "openai")
	want.Day = day
	require.Equal(c, []ports.Entry{want}, c.spending(day))
}

func booksAdd(c *ledgerCase) {
	c.book(day, entry("106", "llm", "openai"), entry("106", "tts", "openai"), entry("107", "llm", "openai"))
	c.book(day, entry("106", "llm", "openai"), entry("106", "llm", "anthropic"))
	got := c.spending(day)
	require.Len(c, got, 4)
	byName := map[[3]string]ports.Entry{}
	for _, e := range got {
		byName[[3]string{string(e.Number), e.Stage, e.Vendor}] = e
	}
	twice := byName[[3]string{"106", "llm", "openai"}]
	require.Equal(c, domain.Expense{
		Stage: "llm", Vendor: "openai",
		Use:   domain.Use{InputTokens: 2, OutputTokens: 4, Characters: 6, Heard: 3 * time.Second, Spoken: 5 * time.Second},
		Calls: 8, Doubtful: 10, Unpriced: 12, Cost: 14, DoubtfulCost: 16,
	}, twice.Expense)
	require.Equal(c, domain.Money(7), byName[[3]string{"107", "llm", "openai"}].Cost, "another number")
	require.Equal(c, domain.Money(7), byName[[3]string{"106", "llm", "anthropic"}].Cost, "another vendor")
	require.Equal(c, domain.Money(7), byName[[3]string{"106", "tts", "openai"}].Cost, "another stage")
}

func booksNone(c *ledgerCase) {
	c.book(day)
	require.Empty(c, c.spending(day, nextDay))
	require.Empty(c, c.spending())
}

func booksOrder(c *ledgerCase) {
	c.book(day, entry("106", "llm", "v"))
	c.book(nextDay, entry("106", "llm", "v"))
	got := c.spending(nextDay, "2027-01-01", day)
	require.Len(c, got, 2)
	require.Equal(c, []string{nextDay, day}, []string{got[0].Day, got[1].Day})
}

func booksConcurrent(c *ledgerCase) {
	var failed errorList
	atOnce(24, func(int) { failed.add(c.l.Book(c.ctx, day, []ports.Entry{entry("106", "llm", "v")})) })
	require.NoError(c, failed.err())
	require.Equal(c, domain.Money(24*7), c.spending(day)[0].Cost)
}
