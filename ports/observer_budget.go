package ports

// The stages of money. Detail is the rung of the ladder, or whose budget it is: user,
// number or day.
const (
	StageBudgetStep    Stage = "budget.step"    // a turn is answered more cheaply, or not at all
	StageBudgetNear    Stage = "budget.near"    // 80 percent of a budget are spent
	StageBudgetReached Stage = "budget.reached" // only the bot's own sentence is left of a budget
	// StageProviderFee: Meta charges as for an assistant for general purposes; Detail is
	// its category.
	StageProviderFee Stage = "fee.provider"
)
