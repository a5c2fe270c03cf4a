package domain

import (
	"cmp"
	"slices"
	"time"
)

// The stages of a turn that cost money.
const (
	StageHear  = "stt"
	StageThink = "llm"
	StageSpeak = "tts"
	StageSend  = "whatsapp"
)

// Use is what was consumed, or is expected to be. Fields that do not apply are zero.
type Use struct {
	// InputTokens and OutputTokens are text.
	InputTokens, OutputTokens int
	// Heard is the sound that went in, Spoken the sound that came out.
	Heard, Spoken time.Duration
	// Characters are those that were spoken.
	Characters int
}

// Plus adds two uses.
func (u Use) Plus(v Use) Use {
	return Use{
		InputTokens: u.InputTokens + v.InputTokens, OutputTokens: u.OutputTokens + v.OutputTokens,
		Heard: u.Heard + v.Heard, Spoken: u.Spoken + v.Spoken, Characters: u.Characters + v.Characters,
	}
}

// Expense is what one vendor was used for in one stage, and what that costs by its
// list price.
type Expense struct {
	Stage, Vendor string
	Use
	// Calls counts the attempts, or the messages sent.
	Calls int
	// Doubtful are those of Calls that failed or were not waited for, as the loser of a
	// hedge: the vendor may bill them, so their price is part of Cost.
	Doubtful int
	// Unpriced are those of Calls whose price is not known; Cost lacks it.
	Unpriced int
	Cost     Money
	// DoubtfulCost is the part of Cost that belongs to Doubtful.
	DoubtfulCost Money
}

// Expenses are what a turn cost, one entry for each vendor and stage, in their order.
type Expenses []Expense

// Plus adds an expense to the entry of its vendor and stage. The receiver is not
// changed.
func (all Expenses) Plus(e Expense) Expenses {
	i, found := slices.BinarySearchFunc(all, e, func(a, b Expense) int {
		return cmp.Or(cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Vendor, b.Vendor))
	})
	if !found {
		return slices.Insert(slices.Clip(all), i, e)
	}
	out := slices.Clone(all)
	o := &out[i]
	o.Use = o.Use.Plus(e.Use)
	o.Calls, o.Doubtful, o.Unpriced = o.Calls+e.Calls, o.Doubtful+e.Doubtful, o.Unpriced+e.Unpriced
	o.Cost, o.DoubtfulCost = o.Cost+e.Cost, o.DoubtfulCost+e.DoubtfulCost
	return out
}

// Cost is the sum of all entries whose price is known.
func (all Expenses) Cost() (sum Money) {
	for _, e := range all {
		sum += e.Cost
	}
	return sum
}
