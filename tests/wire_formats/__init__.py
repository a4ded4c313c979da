"""The formats of the retired servers, and of programs that ask for OCR today: recorded exchanges, and their own clients."""
