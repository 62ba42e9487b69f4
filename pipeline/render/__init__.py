"""Write the rows of a build in the forms that training code bases read."""
