"""Find what a change redeploys: two project states, the imports between modules, the templates and the tests."""
