//go:build !race

package api

// campaignShare divides the size of campaigns.
const campaignShare = 1
