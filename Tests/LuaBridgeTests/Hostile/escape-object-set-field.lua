-- raises: 
object().x = 1
