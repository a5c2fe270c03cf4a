// Package pricing knows what vendors charge: their list prices, with the page and
// the day each was read. They are for estimates. Free allowances, discounts for
// volume, taxes and what a contract says are not in them, so a bill differs.
//
// The prices stand in prices.yaml, which is part of the program. A model that is not
// listed there has no price here: nothing is inferred from its name.
package pricing
