"""Will a member of a health insurance plan see a doctor this year?"""
