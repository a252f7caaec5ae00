"""What a person does with a deployed environment on a bad day: dead letters and logs."""
