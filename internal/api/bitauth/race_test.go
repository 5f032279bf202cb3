//go:build race

package bitauth

// campaignShare divides the size of campaigns where every memory access is watched.
const campaignShare = 10
