TEXT = 'bill'
