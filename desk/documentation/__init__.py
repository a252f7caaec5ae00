"""The guides of docs/ and the pages of reference as a site."""
