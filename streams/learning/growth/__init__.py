"""Growth by people who bring people: conversion of the invited, generations, groups, shares."""
