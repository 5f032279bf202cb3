//go:build !race

package bitauth

// campaignShare divides the size of campaigns.
const campaignShare = 1
