package record

import (
	"time"

	"whatsappnode/domain"
)

// expense has its sound in milliseconds and its money in units of domain.Money. It is
// not of that type: Money reads itself from the text of a setting, and so from no number.
type expense struct {
	Stage        string `json:"s"`
	Vendor       string `json:"v,omitempty"`
	Input        int    `json:"i,omitempty"`
	Output       int    `json:"o,omitempty"`
	Heard        int64  `json:"h,omitempty"`
	Spoken       int64  `json:"sp,omitempty"`
	Characters   int    `json:"ch,omitempty"`
	Calls        int    `json:"n,omitempty"`
	Doubtful     int    `json:"d,omitempty"`
	Unpriced     int    `json:"u,omitempty"`
	Cost         int64  `json:"c,omitempty"`
	DoubtfulCost int64  `json:"dc,omitempty"`
}

func expenseOf(e domain.Expense) expense {
	return expense{
		Stage: e.Stage, Vendor: e.Vendor, Input: e.InputTokens, Output: e.OutputTokens,
		Heard: e.Heard.Milliseconds(), Spoken: e.Spoken.Milliseconds(), Characters: e.Characters,
		Calls: e.Calls, Doubtful: e.Doubtful, Unpriced: e.Unpriced, Cost: int64(e.Cost), DoubtfulCost: int64(e.DoubtfulCost),
	}
}

func (e expense) restore() domain.Expense {
	return domain.Expense{
		Stage: e.Stage, Vendor: e.Vendor,
		Use: domain.Use{
			InputTokens: e.Input, OutputTokens: e.Output, Characters: e.Characters,
			Heard: time.Duration(e.Heard) * time.Millisecond, Spoken: time.Duration(e.Spoken) * time.Millisecond,
		},
		Calls: e.Calls, Doubtful: e.Doubtful, Unpriced: e.Unpriced, Cost: domain.Money(e.Cost), DoubtfulCost: domain.Money(e.DoubtfulCost),
	}
}
